-- operations is put into the scripts that make or undo operations on levels. It needs counts before it.

-- The working copy of operations on levels: id -> text, false where there is none.
local operations, operated = {}, {} -- operated: ids of this batch, in order

local function take_operation(id, text)
  operations[id] = text
end

-- operate keeps an operation: its fingerprint, when it was made, and the nonce of the entry that did.
local function operate(id, fingerprint, now, nonce)
  operations[id] = '1' .. US .. fingerprint .. US .. int(now) .. US .. nonce
  operated[#operated + 1] = id
end

-- known says of an operation that is there whether it is the same, and when and by which entry it was
-- made; nil where there is none.
local function known(id, fingerprint)
  if not operations[id] then return nil end
  local f = split(operations[id], US)
  return { same = f[2] == fingerprint, made = f[3] .. US .. f[4] }
end

local function write_operations(key)
  local list = {}
  for _, id in ipairs(operated) do
    list[#list + 1] = id
    list[#list + 1] = operations[id]
  end
  if #list > 0 then pairs_in(key, list) end
end

-- level_text is a level as an answer has it: on hand, committed, safety stock, backorder limit,
-- available, "1" if it was just made. Of one that is gone all of them are 0.
local function level_text(level, made)
  local c = counts[level] or { 0, 0, 0, 0 }
  return table.concat({
    int(c[1]), int(c[2]), int(c[3]), int(c[4]), int(available[level] or 0), made and '1' or '0',
  }, US)
end

-- is_broken says that a level is in one of stock and levels, or no number in one of them.
local function is_broken(level)
  return broken[level] or (counts[level] ~= nil) ~= (available[level] ~= nil)
end

-- held is what is held of a level.
local function held(level)
  local c = counts[level]
  return c[1] - c[2] - c[3] + c[4] - available[level]
end

-- set_level has a level count so, with what is committed as it was, and returns the change as an event
-- has it: sku location, then before and after of on hand, safety stock and backorder limit, then available.
local function set_level(level, on_hand, safety_stock, backorder_limit)
  local c = counts[level] or { 0, 0, 0, 0 }
  local before = available[level] or 0
  change(level, before + on_hand - c[1] - (safety_stock - c[3]) + backorder_limit - c[4])
  recount(level, on_hand, c[2], safety_stock, backorder_limit)
  return table.concat({
    level, int(c[1]), int(on_hand), int(c[3]), int(safety_stock), int(c[4]), int(backorder_limit),
    int(available[level]),
  }, US)
end

-- The list of the locations that have levels, or had since the last rebuild.
local place_list, is_place, places, places_before = '', {}, 0, 0

local function read_places(key)
  place_list = redis.call('HGET', key, 'locations') or ''
  for _, p in ipairs(place_list == '' and {} or split(place_list, US)) do
    is_place[p] = true
    places = places + 1
  end
  places_before = places
end

-- place_of is the location of a level.
local function place_of(level)
  return string.sub(level, string.find(level, US, 1, true) + 1)
end

local function add_place(p)
  if is_place[p] then return end
  is_place[p] = true
  places = places + 1
  place_list = place_list == '' and p or place_list .. US .. p
end

-- placed is what is to be written of a list that has grown, to stock and to levels, and its version.
local function placed(version)
  local to_stock, to_levels = {}, {}
  if places > places_before then
    version = int((whole(version) or 0) + 1)
    to_stock, to_levels = { 'locations', version }, { 'locations', place_list }
  end
  return to_stock, to_levels, version
end
