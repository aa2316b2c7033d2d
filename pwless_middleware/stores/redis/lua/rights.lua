-- rights: tell which commands of ours the ACL forbids, by doing each of them to a key of its own.
-- What one makes a later one removes, and no command fails where all are allowed. An error that
-- is not the ACL's (a replica, a full server, a key out of reach) is `ping`'s to find.
local key, refused, seen = KEYS[1], {}, {}
local function try(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) ~= 'table' or not reply.err or seen[command] then return end
  -- Redis to 7.0, then Redis from 7.2 and Valkey
  if reply.err:find("can't run this command", 1, true)
    or reply.err:find('no permissions to run', 1, true) then
    seen[command] = true
    table.insert(refused, command)
  end
end
try('PING')
try('PUBLISH', plan.channel, '')
try('SET', key, '', 'EX', 60)
try('GET', key)
try('EXISTS', key)
try('EXPIRE', key, 60)
try('TTL', key)
try('DEL', key)
try('ZADD', key, 0, 'x')
try('ZCARD', key)
try('ZCOUNT', key, 0, 0)
try('ZRANGE', key, 0, -1)
try('ZRANGEBYSCORE', key, 0, 0)
try('ZREMRANGEBYSCORE', key, 1, 1)
try('ZREM', key, 'x')
try('LPUSH', key, 'x')
try('LLEN', key)
try('LRANGE', key, 0, -1)
try('LTRIM', key, 0, 0)
try('LREM', key, 0, 'x')
try('XADD', key, '*', 'x', '')
try('XLEN', key)
try('XRANGE', key, '-', '+')
try('XGROUP', 'CREATE', key, 'x', '$')
try('XINFO', 'GROUPS', key)
try('XINFO', 'CONSUMERS', key, 'x')
try('XREADGROUP', 'GROUP', 'x', 'x', 'STREAMS', key, '>')
try('XPENDING', key, 'x')
try('XCLAIM', key, 'x', 'x', 0, '0-1')
try('XAUTOCLAIM', key, 'x', 'x', 0, '0')
try('XACK', key, 'x', '0-1')
try('XGROUP', 'DELCONSUMER', key, 'x', 'x')
try('XDEL', key, '0-1')
try('DEL', key)
return refused
