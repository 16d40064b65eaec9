-- look_later.lua: this look told nothing; look again, until the reconcile limit.
--
-- ARGV[4]  token
-- ARGV[5]  delay_ms
-- ARGV[6]  "completed" when the channel was read and did not tell, "failed" when the read failed
-- ARGV[7]  why                 a code
-- ARGV[8]  reconcile_limit_ms  after it, a completed look that cannot tell is final
--
-- Returns {"ok"} | {"lost"} | {"settled", "unproven"}

local token, delay_ms, limit_ms = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[8])

if record.state == 'unproven' and is_holder(token) then return {'settled', 'unproven'} end
if record.state ~= 'uncertain' then return {'lost'} end
if not is_holder(token) then return {record.released == token and 'ok' or 'lost'} end

if ARGV[6] == 'completed' then change({looks = number('looks') + 1}) end
note('look told nothing', {why = ARGV[7], delay_ms = delay_ms})
local limit = math.max(number('expires_at'), number('reconcile_at') + limit_ms)
if now >= limit and number('looks') > 0 then
  finish('unproven', {error = ARGV[7], reason = 'looking until the limit did not tell'})
  return {'settled', 'unproven'}
end
change({token = false, lease_until = false, released = token, returns = number('returns') + 1,
  not_before = now + delay_ms, unheard_looks = false})
due_at(now + delay_ms)
return {'ok'}
