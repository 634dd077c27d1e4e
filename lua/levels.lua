-- levels reads and changes the counts of levels for operations. It needs counts.

-- level_text returns a level as an answer has it: on hand, committed, safety stock, backorder
-- limit, available, and "1" if it was just made. For a level that was removed all are 0.
local function level_text(level, made)
  local c = counts[level] or { 0, 0, 0, 0 }
  return table.concat({
    text_of[c[1]], text_of[c[2]], text_of[c[3]], text_of[c[4]], text_of[available[level] or 0], made and '1' or '0',
  }, US)
end

-- is_broken reports whether a level is in only one of stock and levels, or is no number in one.
local function is_broken(level)
  return broken[level] or (counts[level] ~= nil) ~= (available[level] ~= nil)
end

-- set_level sets the counts of a level but for committed, and available with them.
local function set_level(level, on_hand, safety_stock, backorder_limit)
  local c = counts[level] or { 0, 0, 0, 0 }
  local before = available[level] or 0
  set_available(level, before + on_hand - c[1] - (safety_stock - c[3]) + backorder_limit - c[4])
  set_counts(level, on_hand, c[2], safety_stock, backorder_limit)
end

-- change_level sets a level as set_level does. It returns the change as an event has it: sku location,
-- then before and after of on hand, safety stock and backorder limit, then available.
local function change_level(level, on_hand, safety_stock, backorder_limit)
  local c = counts[level] or { 0, 0, 0, 0 } -- set_level replaces it
  set_level(level, on_hand, safety_stock, backorder_limit)
  return table.concat({
    level, text_of[c[1]], text_of[on_hand], text_of[c[3]], text_of[safety_stock], text_of[c[4]], text_of[backorder_limit],
    text_of[available[level]],
  }, US)
end

-- The list of the locations that have levels, or had some since the last rebuild.
local locations, is_location, location_count_before = {}, {}, 0

local function read_locations(key)
  local list = redis.call('HGET', key, 'locations') or ''
  locations = list == '' and {} or split(list, US)
  for _, location in ipairs(locations) do is_location[location] = true end
  location_count_before = #locations
end

-- level_location returns the location of a level.
local function level_location(level)
  return string.sub(level, string.find(level, US, 1, true) + 1)
end

local function add_location(location)
  if is_location[location] then return end
  is_location[location] = true
  locations[#locations + 1] = location
end

-- write_levels writes stock and levels, the location list if it has grown, and the caller's list of
-- fields of levels. It returns the version of the location list.
local function write_levels(stock_key, levels_key, version, levels_list)
  local stock_list = {}
  if #locations > location_count_before then
    version = int((whole(version) or 0) + 1)
    stock_list[1], stock_list[2] = 'locations', version
    levels_list[#levels_list + 1] = 'locations'
    levels_list[#levels_list + 1] = table.concat(locations, US)
  end
  write_stock(stock_key, stock_list)
  write_counts(levels_key, levels_list)
  return version
end
