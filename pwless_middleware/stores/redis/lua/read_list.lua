-- read_list: the live records of a list as {key, value, key, value, …}. Members whose record is
-- gone leave the list. The records' keys are made here, so this runs on a single Redis only.
local found = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = plan.prefix .. member
  local held = live(key)
  if held then
    found[#found + 1] = member
    found[#found + 1] = held:sub(5)
  elseif redis.call('EXISTS', key) == 0 then
    redis.call('ZREM', KEYS[1], member)
  end
end
return found
