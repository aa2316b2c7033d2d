-- ping: prove that this server takes writes and that we may announce on the feed's channel.
redis.call('SET', KEYS[1], now, 'EX', 60)
redis.call('PUBLISH', plan.channel, '')
return 1
