-- complete: take finished jobs out of the stream. Nothing happens to those that are no longer there:
-- they were settled before, here or by another worker. KEYS: stream. ARGV[3…]: ids.
redis.call('XACK', KEYS[1], plan.group, unpack(ARGV, 3))
return redis.call('XDEL', KEYS[1], unpack(ARGV, 3))
