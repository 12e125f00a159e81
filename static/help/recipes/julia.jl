# Julia: with the packages HTTP and JSON; not tried by the tests. grads has arrays by name, Dict("W1" => dW1, "b1" => db1, ...), as in x * W1 .+ b1'.
using HTTP, JSON
rows(array) = ndims(array) < 2 ? array : map(collect, eachrow(array)) # JSON.json alone would write columns
lab = JSON.parsefile("lab.json")
lab["gradients"] = Dict(name => rows(array) for (name, array) in grads)
answer = HTTP.post("http://127.0.0.1:8080/v1/check", ["Content-Type" => "application/json"], JSON.json(lab))
report = JSON.parse(String(answer.body))
println(report["points"], " of ", report["max_points"], " points")
for mistake in get(get(report, "diagnosis", Dict()), "mistakes", [])
    println(mistake["message"], "\n", mistake["hint"])
end
