-- SPDX-License-Identifier: MIT
-- What the benchmark is to show: each mark compares a figure of ours with another one of
-- the same run, or with a number.
--   name                              what the table calls it
--   scenario, figure, case            ours
--   peers                             whose figure it is compared with, the best of them
--   as_scenario, as_figure, as_case   which of theirs, where it is another one
--   at_least, at_most                 how many times that; without peers, the figure

local median = require "median"

local KERNEL <const> = { "posix-mq", "sysv-mq", "unix-datagram", "unix-seqpacket", "fifo" }
local QUEUES <const> = { "boost", "libqb", "zeromq", table.unpack(KERNEL) }
local LUA <const> = { "luasocket", "luv", "fifo" }
local OURS <const> = { "mailslot" }
local MUTEX <const> = { "ring-mutex" }

local RATE <const>, TIME <const> = "messages_per_s", "p50_ns"
local PAIR <const> = "send_and_read_ns"
local SMALL <const>, MANY <const> = "1 to 1, 64 B", "4 to 1, 64 B"

local function on(scenario, figure, case, name, rest)
  rest.scenario, rest.figure, rest.case, rest.name = scenario, figure, case, name
  return rest
end

local marks = {
  on("C: throughput", RATE, SMALL, "1 to 1", { peers = MUTEX, at_least = 0.8 }),
  on("C: throughput", RATE, SMALL, "1 to 1", { peers = QUEUES, at_least = 2.5 }),
  on("C: throughput", RATE, MANY, "4 to 1", { peers = MUTEX, at_least = 0.8 }),
  on("C: throughput", RATE, MANY, "4 to 1", { peers = QUEUES, at_least = 3 }),
  on("C: throughput", RATE, "1 to 1, 64 KiB", "64 KiB", { peers = MUTEX, at_least = 0.9 }),
  on("C: pingpong", TIME, "64 B", "there and back, at work", { peers = KERNEL, at_most = 0.1 }),
  on("C: latency", TIME, "64 B", "to a sleeper", { peers = QUEUES, at_most = 1.1 }),
  on("C: latency-fd", TIME, "64 B", "to who polls a descriptor",
    { peers = QUEUES, as_scenario = "C: latency", at_most = 1.5 }),
  on("C: latency-fd", TIME, "64 B", "the same, of others that poll",
    { peers = KERNEL, at_most = 1.1 }),
  on("C: oneshot", RATE, "64 B", "open, send, close",
    { peers = { "unix-datagram" }, at_least = 0.6 }),
  on("C: burst", "fit", "64 B", "fit with nobody reading", { at_least = 1000000 }),
  on("C: burst", "drain_per_s", "64 B", "drain, of 1 to 1",
    { peers = OURS, as_scenario = "C: throughput", as_figure = RATE, as_case = SMALL,
      at_least = 0.9 }),
  on("C: burst", "bytes_per_message", "64 B", "bytes of a message", { at_most = 96 }),
  on("C: depth", "of_10_queued", "100 000 queued", "100 000 queued, of 10",
    { at_most = 1.25 }),
  on("C: depth", "of_10_queued", "10 000 000 queued", "10 million queued, of 10",
    { at_most = 1.25 }),
  on("C: writers", RATE, "64 writers", "64 writers, of 1",
    { peers = OURS, as_case = "1 writer", at_least = 1 / 3 }),
  on("C: registry", "open_and_close_ns", "10 000 slots", "open among 10 000 slots, of 1",
    { peers = OURS, as_case = "1 slot", at_most = 1.25 }),
  on("C: idle", "cpu_ns_per_s", "an owner that waits", "ns of an idle owner in a second",
    { at_most = 1000000 }),
  on("Lua: throughput", RATE, SMALL, "1 to 1, made and checked",
    { peers = LUA, at_least = 2.3 }),
  on("Lua: throughput", RATE, MANY, "4 to 1, made and checked",
    { peers = LUA, at_least = 1.4 }),
  on("Lua: batch", RATE, SMALL, "1 to 1, batches", { peers = LUA, at_least = 5 }),
  on("Lua: pair", PAIR, "64 B", "a send and a read", { peers = { "floor" }, at_most = 1.35 }),
  on("Lua: pingpong", TIME, "64 B", "there and back, at work", { peers = LUA, at_most = 0.1 }),
  on("Lua: latency", TIME, "64 B", "to a sleeper", { peers = LUA, at_most = 1.1 }),
  on("Lua: latency-fd", TIME, "64 B", "to an event loop",
    { peers = LUA, as_scenario = "Lua: latency", at_most = 1.5 }),
  on("Lua: oneshot", RATE, "64 B", "open, send, close",
    { peers = { "luasocket" }, at_least = 0.6 }),
}

-- With fewer rounds that both were at one place, their medians are compared.
local PAIRS <const> = 3

local function row_of(places, place, peer)
  return places and places.values[place] and places.values[place].values[peer]
end

-- The median of a peer at a place, and of how many rounds; nil: it was never there.
local function median_of(places, place, peer)
  local row = row_of(places, place, peer)
  if not row then
    return nil, 0
  end
  return median(row), #row
end

-- How many times theirs ours was, in the rounds that both were there: what the machine
-- did then it did to both, if they took turns: in one case.
local function ratios(ours, theirs)
  local all = {}
  for round, values in pairs(ours.rounds) do
    if theirs and theirs.rounds[round] then
      all[#all + 1] = median(values) / median(theirs.rounds[round])
    end
  end
  return all
end

local function places_of(all, scenario, figure, case)
  local node = all.values[scenario]
  node = node and node.values[figure]
  return node and node.values[case]
end

-- Where most of its rounds were; those during which the processors moved do not count.
local function main_place(places, peer)
  local _, near = median_of(places, "near", peer)
  local _, far = median_of(places, "far", peer)
  return near >= far and "near" or "far"
end

-- The best of the peers, at that place if they have been there.
local function best_of(places, place, mark)
  local best, who
  for _, peer in ipairs(mark.peers) do
    local value = median_of(places, place, peer)
      or median_of(places, main_place(places, peer), peer)
    if value and (not best or (value > best) == (mark.at_least ~= nil)) then
      best, who = value, peer
    end
  end
  return best, who
end

local function judge_one(all, mark)
  local places = places_of(all, mark.scenario, mark.figure, mark.case)
  local place = main_place(places, "mailslot")
  local value, rounds = median_of(places, place, "mailslot")
  local peer, of_medians
  if value and mark.peers then
    local theirs = places_of(all, mark.as_scenario or mark.scenario,
      mark.as_figure or mark.figure, mark.as_case or mark.case)
    local best
    best, peer = best_of(theirs, place, mark)
    value = best and value / best
    of_medians = value
    local all_ratios = theirs == places
      and ratios(row_of(places, place, "mailslot"), row_of(theirs, place, peer)) or {}
    if #all_ratios >= PAIRS then
      value, rounds = median(all_ratios), #all_ratios
    end
  end
  if not value then
    return nil
  end
  local holds = value >= (mark.at_least or value) and value <= (mark.at_most or value)
  return { mark = mark, value = value, of_medians = of_medians, peer = peer, place = place,
    rounds = rounds, holds = holds }
end

-- How those marks stand for which there are figures.
local function judge(all)
  local judged = {}
  for _, mark in ipairs(marks) do
    judged[#judged + 1] = judge_one(all, mark)
  end
  return judged
end

return judge
