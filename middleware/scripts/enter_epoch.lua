-- enter_epoch.lua: say which server this is, and begin a new epoch if writes may have been lost.
--
-- KEYS[1]  epoch     hash: number, run_id, replication_id, durable, look_from
-- ARGV[1]  durable   "yes" where this server keeps every write that it answers (appendfsync always),
--                    and no other could take over from it
-- ARGV[2]  quiet_ms  how long a POST intended before may still show up
--
-- Returns {"same", number} | {"new", number}

local epoch, durable, quiet_ms = KEYS[1], ARGV[1], tonumber(ARGV[2])
local run_id, replication_id, followed = server_identity()

local stored = redis.call('HMGET', epoch, 'number', 'run_id', 'replication_id', 'durable')
local number = tonumber(stored[1] or 0)
-- Both: it begins with what its predecessor kept only if it reads that.
local is_same_run, was_durable = stored[2] == run_id, stored[4] == 'yes' and durable == 'yes'
-- One that followed another has that one's writes, or not all of them.
local has_followed = string.find(followed, '[^0]') ~= nil

redis.call('HSET', epoch, 'run_id', run_id, 'replication_id', replication_id, 'durable', durable)
if stored[3] == replication_id then return {'same', number} end
-- The same process takes another id when it was without replicas for long; a process that begins
-- anew has all that its predecessor kept.
if number > 0 and not has_followed and (is_same_run or was_durable) then return {'same', number} end

redis.call('HSET', epoch, 'number', number + 1,
  'look_from', string.format('%.0f', now_ms() + quiet_ms))
return {'new', number + 1}
