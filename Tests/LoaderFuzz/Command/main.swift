import Glibc
import LoaderFuzzing

/// `loader-fuzz SECONDS [SEED]`: damages ELF files and feeds them to the loader until the time is
/// over. The case that is being tried is kept in a file, so that it is there after a crash.
func fail(_ message: String, status: Int32) -> Never {
    fputs("loader-fuzz: \(message)\n", stderr)
    exit(status)
}

let words = CommandLine.arguments
guard words.count == 2 || words.count == 3, let seconds = Int(words[1]), seconds > 0 else {
    fail("usage: loader-fuzz SECONDS [SEED]", status: 2)
}
let seed = words.count == 3 ? UInt64(words[2]) : UInt64.random(in: 0..<1_000_000_000)
guard let seed else { fail("the seed is no number", status: 2) }

setvbuf(stdout, nil, _IOLBF, 0)
print("loader-fuzz: seed \(seed), \(seconds) s")
var fuzzer = LoaderFuzzer(seed: seed)
fuzzer.reportCrashes(seed: seed)
let end = time(nil) + seconds
while time(nil) < end {
    if let failure = fuzzer.run(rounds: 500) {
        let reproducer = fuzzer.saveFailingCase()
        fail("seed \(seed), execution \(fuzzer.executions): \(failure); \(reproducer)", status: 1)
    }
}
print(
    "loader-fuzz: \(fuzzer.executions) executions (\(fuzzer.planned) planned,",
    "\(fuzzer.inspected) through libelf), seed \(seed), no failure"
)
