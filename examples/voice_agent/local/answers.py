"""Answers: the sentences that the local plug-ins understand, and what they say to each.

Only words of CMUdict, which comes with pocketsphinx, are understood.
"""

ANSWERS = {
    "how is the weather today": "the sun is shining and the sky is blue",
    "where is the library": "it is on the second floor",
    "tell me a story": "once upon a time there was a king who had three daughters",
}
UNKNOWN = "please say that again"
