-- write: do these writes. take: the same, if the record named `take` is there and so removed.
-- Answer: 1 done (now, or before under the same operation id), 0 the record was not there, 3 queue
-- full: here, or by `full` where a cluster has it in another slot.
if remembered() then return 1 end
if plan.take and not live(KEYS[plan.take]) then return 0 end
if plan.full or queue_is_full() then return 3 end
-- These fail on a key of the wrong type before anything is written.
for _, refund in ipairs(plan.refunds) do redis.call('GET', KEYS[refund.key]) end
for _, add in ipairs(plan.adds) do redis.call('ZCARD', KEYS[add.list]) end
for _, leave in ipairs(plan.leaves) do redis.call('ZCARD', KEYS[leave.list]) end

-- Removing comes first: Redis lets a script that has begun to write go on when memory is full, so
-- that a login which was begun can be finished, and a session can always be revoked.
if plan.take then redis.call('DEL', KEYS[plan.take]) end
for _, drop in ipairs(plan.drops) do redis.call('DEL', KEYS[drop]) end
for _, leave in ipairs(plan.leaves) do
  redis.call('ZREM', KEYS[leave.list], leave.member)
end
for _, add in ipairs(plan.adds) do add_to_list(add) end
for _, refund in ipairs(plan.refunds) do
  local key = KEYS[refund.key]
  local ledger = redis.call('GET', key)
  if ledger then
    local rest = refunded(ledger, refund)
    if rest == '' then redis.call('DEL', key) else redis.call('SET', key, rest, 'KEEPTTL') end
  end
end
for _, each in ipairs(plan.puts) do put(KEYS[each.key], ARGV[each.record], each.ttl) end
queue()
for _, member in ipairs(plan.publish) do redis.call('PUBLISH', plan.channel, member) end
return remember(1)
