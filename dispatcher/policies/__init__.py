"""What is done with whole policies: tested, tried on history, put in force, looked back on.

`rules` decides under one policy; `hosts` runs one. Here policies meet ledgers, the past and each other.
"""
