"""How fast on a real Kafka, and is it still right? One worker beside what bounds it and what it is compared with.

`scene` is the city and what is sent, `ledgers` the topics of one run, `programs` the processes beside ours; `load` puts
reports in and `watching` sees from outside how far they have come. Then `outputs` takes everything back, `answers` says
whether it is what must have come out and `recording` cuts it into its commits. Rivals: `passing`, which writes the same
bytes without deciding anything, and two applications as one would write them: `plain` with Faust, `quix` with Quix
Streams. `latency` and `restoring` are figures of their own; `rounds` is the plan of a run and `rows` says how it
compares with the budgets.
"""
