-- counts is put into scripts that change what a level counts: on hand and committed.

-- The working copy of levels: level -> {on_hand, committed, safety_stock, backorder_limit, and the id
-- of the entry of its last repair, nil where there was none}, units.
local counts, counts_touched, is_counted = {}, {}, {}

local function take_counts(level, text)
  if not text then return end
  local f = split(text, US)
  local c = { whole(f[1]), whole(f[2] or ''), whole(f[3] or ''), whole(f[4] or ''), f[5] }
  if c[1] and c[2] and c[3] and c[4] then
    counts[level] = c
  else
    broken[level] = true
  end
end

-- recount sets what a level counts.
local function recount(level, on_hand, committed, safety_stock, backorder_limit)
  local repaired = counts[level] and counts[level][5]
  counts[level] = { on_hand, committed, safety_stock, backorder_limit, repaired }
  if not is_counted[level] then
    is_counted[level] = true
    counts_touched[#counts_touched + 1] = level
  end
end

-- shift adds to a level's on hand and committed.
local function shift(level, on_hand, committed)
  local c = counts[level]
  recount(level, c[1] + on_hand, c[2] + committed, c[3], c[4])
end

-- write_counts writes the changed levels, and what more the caller adds to list.
local function write_counts(key, list)
  for _, level in ipairs(counts_touched) do
    local c = counts[level]
    list[#list + 1] = level
    list[#list + 1] = table.concat({ int(c[1]), int(c[2]), int(c[3]), int(c[4]), c[5] }, US)
  end
  if #list > 0 then pairs_in(key, list) end
end
