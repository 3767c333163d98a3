"""A simulated day in a made-up town, for whoever wants to see the console at work: `make serve`.

The last hours are worked through at once, at their own times, so that incidents of every kind are under way; then the
same people go on in real time, beside a `dispatcher run` that knows nothing of it.
"""
