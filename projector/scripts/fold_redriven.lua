-- fold_redriven.lua: what had ended is open again, and the position moves past its event.
--
-- KEYS[2]  known     set: the partition's tenants
-- KEYS[3]  timeline  list: the request's events
-- KEYS[4]  open      zset: the tenant's open requests by time
-- KEYS[5...]         zsets: those that have ended, by outcome
-- ARGV[5]  tenant    ARGV[6] id    ARGV[7] entry, of the timeline    ARGV[8] at_ms
--
-- Returns {"applied"} | {"seen"} | {"gap", folded_id}

local tenant, id, at_ms = ARGV[5], ARGV[6], ARGV[8]

local hindered = hindrance()
if hindered then return hindered end

redis.call('SADD', KEYS[2], tenant)
redis.call('RPUSH', KEYS[3], ARGV[7])
redis.call('PERSIST', KEYS[3])
redis.call('ZADD', KEYS[4], at_ms, id)
for place = 5, #KEYS do redis.call('ZREM', KEYS[place], id) end
return advance()
