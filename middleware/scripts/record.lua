-- record.lua: put in front of every transition: the record, and the only ways to change it.
--
-- KEYS[1] delivery  hash: the record                KEYS[5] tenants   zset: tenant by its earliest due
-- KEYS[2] history   list: what happened, when        KEYS[6] counts    hash: open deliveries by state
-- KEYS[3] request   string: the request's body       KEYS[7] outcomes  stream: events for everyone
-- KEYS[4] due       zset: the tenant's open ids by due time    KEYS[8] epoch: see enter_epoch.lua
-- KEYS[9] requests  stream: the log that the projector folds
-- ARGV[1] tenant    ARGV[2] id    ARGV[3] retention_ms, how long a terminal record is kept

local delivery, history, request, due, tenants, counts, outcomes = unpack(KEYS, 1, 7)
local requests = KEYS[9]
local tenant, id, retention_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
local now = now_ms()

-- Every script's first answer. Writes may be lost, so nothing is written before that is settled.
local epoch = redis.call('HMGET', KEYS[8], 'number', 'replication_id', 'look_from')
if epoch[2] ~= replication_id() then return {'epoch_changed'} end

-- A history is evidence, not a log: refusals stop being noted first, then the oldest entries go.
local NOTED_REFUSALS, KEPT_ENTRIES = 50, 200
local TERMINAL = {sent = true, rejected = true, expired = true, cancelled = true, unproven = true}
-- What is left of a record once it is settled; small values keep it in Redis's compact encoding.
-- What was sent is never dispatched again, so it needs less than what a person may redrive.
local KEPT = {
  'state', 'fingerprint', 'marker', 'thread_ts', 'attempts', 'accepted_at', 'settled_at', 'token',
  'receipt', 'cancel_asked', 'cancel_by', 'cancel_why'
}
local KEPT_UNSENT = {
  'actor', 'queue', 'priority', 'max_attempts', 'expires_at', 'intent_at', 'target', 'error',
  'reason', 'perhaps_posted'
}
-- A message can be made anew of an accepted request, but not of one that is its own request.
local KEPT_UNACCEPTED = {'message'}

local record = {}
local flat = redis.call('HGETALL', delivery)
for place = 1, #flat, 2 do record[flat[place]] = flat[place + 1] end

local function whole(number) return string.format('%.0f', number) end

local function number(field) return tonumber(record[field]) or 0 end

local function change(fields)
  local set, cleared = {}, {}
  for field, value in pairs(fields) do
    if value == false then
      if record[field] then cleared[#cleared + 1] = field end
      record[field] = nil
    else
      if type(value) == 'number' then value = whole(value) end
      set[#set + 1] = field
      set[#set + 1] = value
      record[field] = value
    end
  end
  if #set > 0 then redis.call('HSET', delivery, unpack(set)) end
  if #cleared > 0 then redis.call('HDEL', delivery, unpack(cleared)) end
end

local function count(bucket)
  if record.counted == bucket then return end
  if record.counted then redis.call('HINCRBY', counts, record.counted, -1) end
  if bucket then redis.call('HINCRBY', counts, bucket, 1) end
  change({counted = bucket or false})
end

-- The sweeper looks at the delivery next at this time; false: never again.
local function due_at(at)
  if at then redis.call('ZADD', due, whole(at), id) else redis.call('ZREM', due, id) end
  change({due = at})
  local earliest = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  if earliest[1] then
    redis.call('ZADD', tenants, earliest[2], tenant)
  else
    redis.call('ZREM', tenants, tenant)
  end
end

local function entry(what, details)
  redis.call('RPUSH', history, cjson.encode({now, what, details}))
  if TERMINAL[record.state] then redis.call('PEXPIRE', history, retention_ms) end
end

local function note(what, details)
  entry(what, details or {})
  redis.call('LTRIM', history, -KEPT_ENTRIES, -1)
end

local function note_refusal(what, details)
  if redis.call('LLEN', history) < NOTED_REFUSALS then entry(what, details or {}) end
end

-- `by` and `why` where a person ordered it; `receipt` and `reason` where they are not the record's.
local function tell(event, details)
  local order = details.by and {'by', details.by, 'why', details.why or ''} or {}
  redis.call('XADD', outcomes, '*', 'event', event, 'tenant', tenant, 'id', id, 'at', whole(now),
    'attempts', record.attempts or '0', 'error', record.error or '',
    'reason', details.reason or record.reason or '',
    'receipt', details.receipt or record.receipt or '', unpack(order))
  -- Where nothing is ever accepted, no projector runs that would forget what is old.
  if not record.fingerprint and redis.call('EXISTS', requests) == 0 then
    redis.call('XTRIM', outcomes, 'MINID', '=', whole(now - retention_ms))
  end
end

local function keep_for_retention()
  redis.call('PEXPIRE', delivery, retention_ms)
  redis.call('PEXPIRE', history, retention_ms)
  -- The text of what was sent is needed by nobody: it goes at once.
  if record.state == 'sent' then
    redis.call('DEL', request)
  else
    redis.call('PEXPIRE', request, retention_ms)
  end
end

-- The only way into a terminal state. `order`: by whom, and why, where a person ordered it.
local function finish(outcome, fields, order)
  -- A person ordered another post of what may be in the provider: it still may be.
  if record.perhaps_posted and outcome ~= 'sent' and outcome ~= 'unproven' then
    outcome = 'unproven'
    fields.reason = 'the post that was ordered was not made (' .. fields.reason
      .. '), and an earlier one may have been'
  end
  fields.state, fields.settled_at = outcome, now
  count(false)
  due_at(false)
  change(fields)
  local kept, kinds = {}, {KEPT}
  if outcome ~= 'sent' then kinds[#kinds + 1] = KEPT_UNSENT end
  if outcome ~= 'sent' and not record.fingerprint then kinds[#kinds + 1] = KEPT_UNACCEPTED end
  for _, kind in ipairs(kinds) do
    for _, field in ipairs(kind) do
      if record[field] then
        kept[#kept + 1] = field
        kept[#kept + 1] = record[field]
      end
    end
  end
  redis.call('DEL', delivery)
  redis.call('HSET', delivery, unpack(kept))
  note(outcome, {error = record.error, reason = record.reason})
  keep_for_retention()
  tell(outcome, order or {})
end

local function finish_expired()
  finish('expired', {error = 'expired', reason = 'its time ran out before it could be posted'})
end

local function finish_cancelled(reason)
  local order = {by = record.cancel_by, why = record.cancel_why}
  finish('cancelled', {error = 'cancelled', reason = reason}, order)
end

local function past_expiry() return now >= number('expires_at') end

-- Ended like this by whoever held it last; or unproven in its place.
local function has_become(outcome)
  return record.state == outcome or (record.state == 'unproven' and record.perhaps_posted)
end

-- Waiting: nothing is on its way. Where a POST was once proven absent, the target stays frozen.
local function wait_until(not_before)
  change({state = 'waiting', not_before = not_before, token = false, lease_until = false,
    intent_at = false, reconcile_at = false, target = record.absences and record.target or false})
  count(not_before > now and 'delayed' or 'waiting')
  due_at(math.min(math.max(not_before, now), number('expires_at')))
end

-- A POST may be on its way, or may have arrived: only a look in the channel can tell.
local function become_uncertain(why)
  change({state = 'uncertain', token = false, lease_until = false, doubted = record.token or ''})
  count('uncertain')
  due_at(math.max(number('reconcile_at'), now))
  note('uncertain', {why = why})
end

local function lease_is_live() return now < number('lease_until') end

local function is_holder(token) return record.token == token end

-- A record of an older epoch may have lost what was written after it: claims, intents, outcomes. If
-- it could have been claimed since, it could have been posted, and only a look can tell. That uses
-- the attempt of no claim which had not intended.
if record.state and not TERMINAL[record.state] and record.epoch ~= epoch[1] then
  local look_from = tonumber(epoch[3])
  change({epoch = epoch[1],
    attempts = number('attempts') - (record.state == 'claimed' and 1 or 0)})
  if record.state ~= 'waiting' or number('not_before') <= look_from then
    change({intent_at = record.intent_at or record.accepted_at,
      reconcile_at = math.max(number('reconcile_at'), look_from)})
    become_uncertain('writes of the store may be lost')
  end
end
