-- Fails if nothing can be written. KEYS: a key of its own.
redis.call('SET', KEYS[1], '1', 'PX', 1000)
