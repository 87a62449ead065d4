"""The host: where effects meet the world.

Theory of operation. Inputs arrive (PDUs of one read, back-end answers, deadlines) and wait in `_pending`
while a commit is under way. A batch takes all of them: it steps every session, gathers what must be stored
and what must leave, commits it in one transaction and only then lets anything leave: responses, pages, SMS,
back-end calls. One commit is in flight at a time, so the session in memory is always the stored one or the
one being stored; when a commit fails, every session of the batch is put back to what the store holds and the
messages that came in are answered 0x64, so that the centre sends them again.
"""
