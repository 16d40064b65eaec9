-- accept.lua: take a request once: its event, its record and its body, all or nothing.
--
-- ARGV[4]  fingerprint     of the canonical request: tells a repetition from a conflict
-- ARGV[5]  marker          random; names the delivery in the provider, and this call
-- ARGV[6]  actor           ARGV[7]  queue
-- ARGV[8]  not_before_ms   epoch; 0: at once
-- ARGV[9]  expires_at_ms   epoch; 0: expires_after_ms from the later of now and not_before
-- ARGV[10] expires_after_ms
-- ARGV[11] window_ms       the projector dispatches at once; the sweeper after this if it did not
-- ARGV[12] max_attempts    ARGV[13] priority    ARGV[14] thread_ts ('' for none)
-- ARGV[15] body            the request, opaque here
--
-- Returns {"accepted"} | {"duplicate", state} | {"conflict", state}

local fingerprint, marker, not_before = ARGV[4], ARGV[5], tonumber(ARGV[8])

if record.state then
  -- A tombstone (a receipt without a request) has no fingerprint: it becomes this request's record.
  -- Any other's is written again, for WAIT speaks of what its own connection wrote.
  change({fingerprint = record.fingerprint or fingerprint})
  if record.marker == marker then return {'accepted'} end
  local answer = record.fingerprint == fingerprint and 'duplicate' or 'conflict'
  note_refusal(answer, {})
  return {answer, record.state}
end

local expires_at = tonumber(ARGV[9])
if expires_at == 0 then expires_at = math.max(now, not_before) + tonumber(ARGV[10]) end

-- The history of an earlier life may outlive its record a little: it would expire under this one.
redis.call('DEL', history)
change({state = 'waiting', fingerprint = fingerprint, marker = marker, actor = ARGV[6],
  queue = ARGV[7], not_before = not_before, expires_at = expires_at, accepted_at = now,
  attempts = 0, returns = 0, dispatches = 0, max_attempts = ARGV[12], priority = ARGV[13],
  thread_ts = ARGV[14] ~= '' and ARGV[14], epoch = epoch[1]})
count(not_before > now and 'delayed' or 'waiting')
due_at(math.min(not_before > now and not_before or now + tonumber(ARGV[11]), expires_at))
redis.call('SET', request, ARGV[15])
redis.call('XADD', requests, '*', 'event', 'requested', 'tenant', tenant, 'id', id, 'body', ARGV[15])
note('accepted', {})
return {'accepted'}
