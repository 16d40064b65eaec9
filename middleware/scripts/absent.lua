-- absent.lua: the POST of unknown fate is proven absent, so it may be made again.
--
-- ARGV[4]  token
-- ARGV[5]  read_begun_ms  server time before the proving read began
-- ARGV[6]  lease_ms
--
-- Returns {"claimed", attempt} | {"lost"} | {"too_early"} | {"settled", outcome}

local token, read_begun, lease_ms = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])

if TERMINAL[record.state] then return {'settled', record.state} end
if record.state == 'claimed' and is_holder(token) then return {'claimed', record.attempts} end
if record.state ~= 'uncertain' or not is_holder(token) or not lease_is_live() then
  return {'lost'}
end
if read_begun < number('reconcile_at') then return {'too_early'} end

note('absent', {read_begun = read_begun})
if record.cancel_asked then
  finish_cancelled('cancelled; its POST is proven absent')
  return {'settled', record.state}
end
if past_expiry() then
  finish_expired()
  return {'settled', record.state}
end
if number('attempts') >= number('max_attempts') then
  finish('rejected', {error = 'attempts_exhausted',
    reason = 'every attempt was made and none arrived'})
  return {'settled', record.state}
end

-- The target stays: a second POST goes where the first one went.
change({state = 'claimed', lease_until = now + lease_ms, attempts = number('attempts') + 1,
  absences = number('absences') + 1, intent_at = false, reconcile_at = false, looks = false,
  unheard_looks = false})
count('claimed')
due_at(math.min(now + lease_ms, number('expires_at')))
return {'claimed', record.attempts}
