import Foundation
import Testing

/// A host whose clock is not the processor's counter: its vDSO makes the system call itself, for
/// the kernel and for the program.
@Suite(.enabled(if: Command.isBuilt && !Command.isNative)) struct ClockTests {
    @Test(arguments: CLibrary.allCases)
    func theClockGoesOnWhereTheHostsVDSOMakesTheCall(library: CLibrary) throws {
        let source = Program.folder.appendingPathComponent("hosts/asks-the-clock.c")
        let built = try Build(program: Program(source: source), library: library).executable()
        let native = try Execution.run([built.path], environment: [], timeLimit: 20)
        let slow = try run(built.path, ["UNIRUN_CLOCK=syscall"])
        #expect(slow.status == 0)
        #expect(slow.outputText == native.outputText)
        // Every look of the program is a call then; else none is.
        #expect(Statistics.values(of: slow.errorText)["calls_total"] ?? 0 > 1000)
        let usual = try run(built.path, [])
        #expect(usual.outputText == native.outputText)
        #expect(Statistics.values(of: usual.errorText)["calls_total"] ?? .max < 1000)
    }

    private func run(_ program: String, _ environment: [String]) throws -> Execution {
        try Execution.run(
            [Command.path, "run", "--stats", "--", program],
            environment: Command.environment + environment,
            timeLimit: 20
        )
    }
}
