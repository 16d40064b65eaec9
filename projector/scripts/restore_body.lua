-- restore_body.lua: the text of what may still be posted is found again in the log.
--
-- KEYS[1]  delivery     hash: the record
-- KEYS[2]  request      string: the body
-- ARGV[1]  fingerprint  of this body: an id may have been used before, for another request
-- ARGV[2]  body
--
-- Returns {"restored"} | {"nothing"} (it is there, or nobody needs it)

local record = redis.call('HMGET', KEYS[1], 'state', 'fingerprint')
if not record[1] or record[1] == 'sent' or record[2] ~= ARGV[1] then return {'nothing'} end
if not redis.call('SET', KEYS[2], ARGV[2], 'NX') then return {'nothing'} end
local left_ms = redis.call('PTTL', KEYS[1])
if left_ms > 0 then redis.call('PEXPIRE', KEYS[2], left_ms) end
return {'restored'}
