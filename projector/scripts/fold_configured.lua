-- fold_configured.lua: a tenant becomes known, and the position moves past its event.
--
-- KEYS[2]  known   set: the partition's tenants
-- ARGV[5]  tenant
--
-- Returns {"applied"} | {"seen"} | {"gap", folded_id}

local hindered = hindrance()
if hindered then return hindered end

redis.call('SADD', KEYS[2], ARGV[5])
return advance()
