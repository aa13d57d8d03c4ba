"""The budget as one atomic script in the cache Redis: many keys of a beat in one round trip.

It does what brokerage/budget/bucket.py says; a test compares the two. A key's hash has
`c:<slot>:<lane>` for calls, `t:<lane>` for tokens, `gained`, and `s:<lane>` for stops.
"""

# ARGV: now ('' for the server's clock), mode ('each' | 'any'), window, slot, limit, shared,
# most quotes, lane, last lane with reserve, paced lanes, their paces and purses, then per key how
# many calls are wanted. 'any' ends with the first key that can afford its calls.
TAKE = """
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) + tonumber(t[2]) / 1000000
end
local mode = ARGV[2]
local window, slot = tonumber(ARGV[3]), tonumber(ARGV[4])
local limit, shared = tonumber(ARGV[5]), tonumber(ARGV[6])
local most_quotes = tonumber(ARGV[7])
local lane, last_urgent, quotes = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local paced = {tonumber(ARGV[11]), tonumber(ARGV[12])}
local paces = {tonumber(ARGV[13]), tonumber(ARGV[14])}
local purses = {tonumber(ARGV[15]), tonumber(ARGV[16])}
local oldest = now - window - slot
local granted = {}

for i, key in ipairs(KEYS) do
  local wanted = tonumber(ARGV[16 + i])
  local used, used_lane, since, stop, gone = 0, 0, nil, 0, {}
  local tokens = {purses[1], purses[2]}
  local fields = redis.call('HGETALL', key)
  for j = 1, #fields, 2 do
    local name, value = fields[j], tonumber(fields[j + 1])
    local kind = string.sub(name, 1, 2)
    if kind == 'c:' then
      local start, which = string.match(name, '^c:(%d+):(%d+)$')
      if tonumber(start) <= oldest then
        gone[#gone + 1] = name
      else
        used = used + value
        if tonumber(which) == lane then used_lane = used_lane + value end
      end
    elseif name == 'gained' then since = value
    elseif name == 't:' .. paced[1] then tokens[1] = value
    elseif name == 't:' .. paced[2] then tokens[2] = value
    elseif name == 's:' .. lane then stop = value
    end
  end
  if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end

  local passed, over = math.max(now - (since or now), 0), 0
  for p = 1, 2 do
    local has = tokens[p] + passed * paces[p]
    over = over + math.max(has - purses[p], 0)
    tokens[p] = math.min(has, purses[p])
  end
  for p = 1, 2 do
    local given = math.min(over, purses[p] - tokens[p])
    tokens[p] = tokens[p] + given
    over = over - given
  end

  local room
  if stop > now then room = 0
  elseif lane <= last_urgent then room = limit - used
  else
    room = shared - used
    if lane == paced[1] then room = math.min(room, math.floor(tokens[1]))
    elseif lane == paced[2] then room = math.min(room, math.floor(tokens[2]))
    elseif lane == quotes then room = math.min(room, most_quotes - used_lane)
    end
  end
  local take = math.max(math.min(wanted, room), 0)
  if lane == 0 then take = wanted end
  if mode == 'any' and take < wanted then take = 0 end
  if take > 0 then
    local start = string.format('%d', math.floor(now / slot) * slot)
    redis.call('HINCRBY', key, 'c:' .. start .. ':' .. lane, take)
    for p = 1, 2 do
      if lane == paced[p] then tokens[p] = tokens[p] - take end
    end
  end
  redis.call('HSET', key, 'gained', string.format('%.17g', now),
    't:' .. paced[1], string.format('%.17g', tokens[1]),
    't:' .. paced[2], string.format('%.17g', tokens[2]))
  redis.call('EXPIRE', key, window * 2)
  granted[i] = take
  if mode == 'any' and take > 0 then break end
end
return granted
"""

# ARGV: now, how many lanes stop, these lanes, then a pause per key; a longer stop is left as it is.
STOP = """
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) + tonumber(t[2]) / 1000000
end
local lanes = tonumber(ARGV[2])
for i, key in ipairs(KEYS) do
  local untill = now + tonumber(ARGV[2 + lanes + i])
  for j = 3, 2 + lanes do
    local name = 's:' .. ARGV[j]
    if untill > tonumber(redis.call('HGET', key, name) or '0') then
      redis.call('HSET', key, name, string.format('%.17g', untill))
    end
  end
  redis.call('EXPIRE', key, 120)
end
"""
