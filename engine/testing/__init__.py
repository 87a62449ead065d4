"""Flow tests: the YAML language of flow-language 4.1, played in memory against the machine.

Nothing here touches the world: time is moved by the test, back ends are answered from the test, and no case
knows of another.
"""
