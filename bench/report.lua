-- SPDX-License-Identifier: MIT
-- Makes a Markdown table of a CSV of the benchmark, and a picture of each scenario.
-- Usage: report.lua FILE.csv FOLDER CAPTION     (writes FOLDER/table.md, FOLDER/*.svg)

package.path = arg[0]:match("^(.*)/") .. "/?.lua;" .. package.path
local judge = require "marks"
local median = require "median"

local csv, folder, caption = table.unpack(arg)

-- Only the third field, the case, is in quotes.
local FIELD <const> = "([^,]+),"
local ROW <const> = "^(%a+)," .. FIELD .. '"([^"]+)",' .. FIELD .. "(%d),(%d+),(%a+),"
  .. FIELD .. FIELD .. FIELD .. "(.+)$"

-- A table that keeps the order in which its keys came.
local function ordered()
  return { keys = {}, values = {} }
end

local function get(map, key, make)
  if not map.values[key] then
    map.values[key] = make()
    map.keys[#map.keys + 1] = key
  end
  return map.values[key]
end

local function each(map)
  local i = 0
  return function()
    i = i + 1
    return map.keys[i], map.values[map.keys[i]]
  end
end

-- "C throughput" -> figure -> case -> place -> peer -> {values, is_floor, rounds}
-- rounds: those that it was there -> {values}
local function read_rows(path)
  local all = ordered()
  for line in io.lines(path) do
    local language, scenario, case, peer, is_floor, round, place, _, _, figure, value =
      line:match(ROW)
    if language then
      local node = get(all, language .. ": " .. scenario:gsub("^lua%-", ""), ordered)
      node = get(get(get(node, figure, ordered), case, ordered), place, ordered)
      local row = get(node, peer, function()
        return { is_floor = is_floor == "1", rounds = {} }
      end)
      row[#row + 1] = tonumber(value)
      local turns = row.rounds[round] or {}
      row.rounds[round] = turns
      turns[#turns + 1] = tonumber(value)
    end
  end
  return all
end

local function show(value)
  if value >= 1e6 then
    return ("%.3g M"):format(value / 1e6)
  elseif value >= 1e4 then
    return ("%.0f k"):format(value / 1e3)
  end
  return ("%.4g"):format(value)
end

local function write_place(file, case, place, rows)
  local ours = rows.values.mailslot and median(rows.values.mailslot)
  for peer, row in each(rows) do
    local value = median(row)
    local ratio = ours and ours > 0 and ("%.2f"):format(value / ours) or "-"
    file:write(("| %s | %s | %s%s | %s | %s | %s | %s | %d |\n"):format(case, place, peer,
      row.is_floor and " (floor)" or "", show(value), show(row[1]), show(row[#row]), ratio,
      #row))
  end
end

-- Returns how many hold.
local function write_marks(file, judged)
  local held = 0
  file:write("\n## Marks\n\n",
    "`measured`: how many times the best of the others ours is, at the place of most of our\n",
    "rounds: where both took turns, the median of what it was in each of the `rounds` that\n",
    "both were there; where there are no others, the figure itself. It has to be `at least`\n",
    "or `at most` so much. `medians`: the same of the medians of all rounds. Marks mean\n",
    "little where few peers were, or other programs ran.\n\n",
    "| | mark | at least | at most | measured | medians | times | place | rounds | |\n",
    "|---|---|--:|--:|--:|--:|---|---|--:|---|\n")
  for _, one in ipairs(judged) do
    local mark = one.mark
    held = held + (one.holds and 1 or 0)
    file:write(("| %s | %s | %s | %s | %s | %s | %s | %s | %d | %s |\n"):format(
      mark.scenario:match("^%a+"), mark.name, mark.at_least and show(mark.at_least) or "",
      mark.at_most and show(mark.at_most) or "", show(one.value),
      one.of_medians and show(one.of_medians) or "", one.peer or "", one.place, one.rounds,
      one.holds and "holds" or "**missed**"))
  end
  return held
end

local function write_tables(all, judged)
  local file <close> = assert(io.open(folder .. "/table.md", "w"))
  file:write("# Benchmark\n\n", caption, "\n\n",
    "Medians; `ratio` is the row's to ours of the same place. `near` and `far` say how far\n",
    "the processors were apart; `moved` that this changed during the run, `busy` that the\n",
    "machine did something else: such rows do not count.\n")
  if #judged > 0 then
    print(("%d of %d marks hold"):format(write_marks(file, judged), #judged))
  end
  for scenario, figures in each(all) do
    for figure, cases in each(figures) do
      file:write(("\n## %s, %s\n\n"):format(scenario, figure),
        "| case | place | peer | median | min | max | ratio | rounds |\n",
        "|---|---|---|--:|--:|--:|--:|--:|\n")
      for case, places in each(cases) do
        for place, rows in each(places) do
          write_place(file, case, place, rows)
        end
      end
    end
  end
end

-- Of a case, the place that was met most often.
local function main_place(places)
  local best, most = nil, 0
  for place, rows in each(places) do
    local count = 0
    for _, row in each(rows) do
      count = count + #row
    end
    if place ~= "moved" and place ~= "busy" and count > most then
      best, most = rows, count
    end
  end
  return best
end

-- One row a case, one column a peer.
local function picture_data(cases)
  local columns, lines = ordered(), {}
  for _, places in each(cases) do
    for peer in each(main_place(places) or ordered()) do
      get(columns, peer, function() return true end)
    end
  end
  lines[1] = 'case "' .. table.concat(columns.keys, '" "') .. '"'
  for case, places in each(cases) do
    local rows = main_place(places)
    local line = { '"' .. case .. '"' }
    for i, peer in ipairs(columns.keys) do
      local row = rows and rows.values[peer]
      line[i + 1] = row and median(row) > 0 and ("%.9g"):format(median(row)) or "NaN"
    end
    lines[#lines + 1] = table.concat(line, " ")
  end
  return lines, #columns.keys
end

local function draw(scenario, figure, cases)
  local lines, count = picture_data(cases)
  if count == 0 then
    return
  end
  local name = scenario:lower():gsub("[^%w]+", "-")
  local gnuplot = assert(io.popen("gnuplot", "w"))
  gnuplot:write(([[
$data << END
%s
END
set terminal svg size 1100,520 dynamic background "white"
set output "%s/%s.svg"
set title "%s\n%s" noenhanced font ",11"
set ylabel "%s" noenhanced
set style data histogram
set style histogram cluster gap 1
set style fill solid 0.8
set key outside right noenhanced
set xtics noenhanced
set logscale y
set format y "%%.0s%%c"
set grid y
plot for [i=2:%d] $data using i:xtic(1) title columnheader(i)
]]):format(table.concat(lines, "\n"), folder, name, scenario, caption, figure, count + 1))
  assert(gnuplot:close(), "gnuplot failed")
end

local all = read_rows(csv)
if #all.keys == 0 then
  io.stderr:write("bench: nothing was measured: none of these peers is in these scenarios\n")
  os.exit(1)
end
write_tables(all, judge(all))
if os.execute("command -v gnuplot >/dev/null") then
  for scenario, figures in each(all) do
    local figure = figures.keys[1]
    for _, wanted in ipairs { "messages_per_s", "p50_ns", "fit" } do
      figure = figures.values[wanted] and wanted or figure
    end
    draw(scenario, figure, figures.values[figure])
  end
end
