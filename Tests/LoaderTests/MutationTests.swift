import Foundation
import LoaderCore
import LoaderFuzzing
import Testing

@Suite struct MutationTests {
    /// Damaged files give an error or a plan that keeps every promise; a trap would end the run.
    @Test(arguments: [["-static"], ["-static-pie"]])
    func damagedProgramsNeverTrap(flags: [String]) throws {
        let program = try BuiltProgram.compile("int main(void) {}", "musl-gcc", flags)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: program)))
        var mutator = HeaderMutator(bytes, seed: 7)
        var planned = 0
        for round in 0..<20_000 {
            let damaged = mutator.next()
            guard let plan = try? LoadPlan(bytes: damaged) else { continue }
            planned += 1
            let broken = plan.brokenPromise(fileSize: UInt64(damaged.count), limits: .x86)
            #expect(broken == nil, "round \(round)")
        }
        // Were all refused, the mutations would test little.
        #expect(planned > 1000)
    }

    /// The fuzz target itself, for a moment.
    @Test func fuzzerFindsNothing() {
        var fuzzer = LoaderFuzzer(seed: 5)
        #expect(fuzzer.run(rounds: 2000) == nil)
        #expect(fuzzer.planned > 500)
        #expect(fuzzer.inspected > 400)
    }
}
