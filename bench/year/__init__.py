"""A city's year through the whole engine: 325,600 incidents, and everybody who has a hand in them.

Reports come by the hour, the day and the season (`season`, `matters`, `reporters`); departments answer their orders
(`departments`), the centre its queue (`centre`), streets whistle and rate (`streets`), residents are called back
(`residents`). Nobody looks into the engine: each reads its own topic and, as on a console, the newest public record of
an incident (`console`), and writes updates. `simulate` lets time pass; `report` says what came of it.
"""
