-- register_teams.lua: give teams to tenants; a team belongs to one, or nothing is changed at all.
--
-- KEYS[1]  teams    hash: team id -> tenant
-- ARGV[1]  wanted   JSON object: tenant -> list of the team ids it is to have from now on
--
-- Returns {"ok"} | {"taken", team, owner, ...}  in pairs

local teams = KEYS[1]
local wanted = cjson.decode(ARGV[1])

local owners, released = {}, {}
local flat = redis.call('HGETALL', teams)
for place = 1, #flat, 2 do
  local team, owner = flat[place], flat[place + 1]
  -- A tenant that is given its teams anew lets go of those it had.
  if wanted[owner] then released[team] = true else owners[team] = owner end
end

local taken = {'taken'}
for tenant, tenants_teams in pairs(wanted) do
  for _, team in ipairs(tenants_teams) do
    if owners[team] and owners[team] ~= tenant then
      taken[#taken + 1] = team
      taken[#taken + 1] = owners[team]
    end
    owners[team] = tenant
  end
end
if #taken > 1 then return taken end

for team in pairs(released) do
  if not owners[team] then redis.call('HDEL', teams, team) end
end
for tenant, tenants_teams in pairs(wanted) do
  for _, team in ipairs(tenants_teams) do redis.call('HSET', teams, team, tenant) end
end
return {'ok'}
