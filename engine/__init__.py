"""What a flow means: the pure core of Gudok.

Nothing in this package opens a socket or a file, reads a clock, draws a random number, logs or awaits.
`engine.reading` turns YAML text into compiled flows; `engine.machine.advance` runs them from one wait to
the next; everything the world must do comes out as effects, everything it answers comes in as inputs.
"""
