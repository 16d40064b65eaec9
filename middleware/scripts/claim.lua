-- claim.lua: take the lease on one delivery, or say what stands in the way.
--
-- ARGV[4]  token     names this attempt; every later transition demands it back
-- ARGV[5]  lease_ms  how long an unsettled claim keeps others out
-- ARGV[6]  by        the worker, for the history
-- ARGV[7]  most_unheard_looks  in a row, of which nobody told the end: a look that kills its worker
--
-- Returns {"granted", attempt, marker, thread_ts, returns}
--   | {"uncertain", marker, thread_ts, target, intent_at_ms, reconcile_at_ms, now_ms, returns}  the
--     fate of a POST is unknown
--   | {"wait", until_ms, reason} | {"settled", outcome} | {"unknown"}

local token, lease_ms, by = ARGV[4], tonumber(ARGV[5]), ARGV[6]

if not record.state then return {'unknown'} end
if TERMINAL[record.state] then return {'settled', record.state} end

local function granted()
  return {'granted', record.attempts, record.marker, record.thread_ts or '', record.returns}
end

local function uncertain()
  return {'uncertain', record.marker, record.thread_ts or '', record.target or '',
    record.intent_at, record.reconcile_at, whole(now), record.returns}
end

local function held()
  note_refusal('held', {by = by})
  return {'wait', record.lease_until, 'held'}
end

if record.state == 'claimed' then
  if is_holder(token) then return granted() end
  if lease_is_live() then return held() end
  note('lease over', {})
elseif record.state == 'sending' then
  if lease_is_live() then return held() end
  become_uncertain('the lease ended while a POST was on its way')
end

if record.state == 'uncertain' then
  if lease_is_live() then return is_holder(token) and uncertain() or held() end
  local look_from = math.max(number('reconcile_at'), number('not_before'))
  if now < look_from then return {'wait', whole(look_from), 'reconcile'} end
  -- Whoever asks again has lost a reply, and no worker.
  local is_unheard = record.token and not is_holder(token)
  local unheard = number('unheard_looks') + (is_unheard and 1 or 0)
  if unheard >= tonumber(ARGV[7]) then
    finish('unproven', {error = 'poison', reason = 'every look ended without an answer'})
    return {'settled', 'unproven'}
  end
  change({token = token, lease_until = now + lease_ms, dispatches = 0, unheard_looks = unheard})
  due_at(now + lease_ms)
  note('looking', {by = by, token = string.sub(token, 1, 8)})
  return uncertain()
end

if past_expiry() then
  finish_expired()
  return {'settled', record.state}
end
local not_before = number('not_before')
if not_before > now then return {'wait', whole(not_before), 'not due'} end
if number('attempts') >= number('max_attempts') then
  finish('rejected', {error = 'poison', reason = 'every attempt ended without an answer'})
  return {'settled', record.state}
end

-- The queue delivers: what it loses from now on is missed after the first window again.
change({state = 'claimed', token = token, lease_until = now + lease_ms, dispatches = 0,
  attempts = number('attempts') + 1})
count('claimed')
due_at(math.min(now + lease_ms, number('expires_at')))
note('claimed', {by = by, token = string.sub(token, 1, 8), attempt = number('attempts')})
return granted()
