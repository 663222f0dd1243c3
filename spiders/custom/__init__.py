"""Spiders of users: loaded by name, called with each response. Their requests go to the frontier, their items to the store.

In: the class that a crawl names as `module:Class`, and the responses of a session. Out: discoveries for the frontier, and items as JSON.
`loader.find_spider` loads the class; `callbacks.Callbacks` calls its methods and runs its item pipelines.
"""
