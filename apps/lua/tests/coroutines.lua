local function generate(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local sum = 0
for v in generate(100000) do sum = sum + v end
print(sum)
local function permute(a, n)
    n = n or #a
    if n <= 1 then coroutine.yield(table.concat(a)) end
    for i = 1, n do
        a[n], a[i] = a[i], a[n]
        permute(a, n - 1)
        a[n], a[i] = a[i], a[n]
    end
end
local count, last = 0
for text in coroutine.wrap(function() permute({"a", "b", "c", "d", "e", "f", "g"}) end) do count, last = count + 1, text end
print(count, last)
local co = coroutine.create(function() error("inside") end)
print(coroutine.resume(co))
print(coroutine.status(co), coroutine.resume(co))
local ring = {}
for i = 1, 1000 do ring[i] = coroutine.create(function(v) while true do v = coroutine.yield(v + 1) end end) end
local v = 0
for _ = 1, 20 do for i = 1, 1000 do local _, r = coroutine.resume(ring[i], v); v = r end end
print(v)
