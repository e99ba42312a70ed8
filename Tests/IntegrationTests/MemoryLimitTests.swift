import Foundation
import Testing

/// `--memory` bounds what the program touches, not what it asks for.
@Suite(.serialized, .enabled(if: Command.isBuilt && !Command.isNative)) struct MemoryLimitTests {
    private func run(_ name: String, _ arguments: [String] = [], limit: String) throws -> Execution
    {
        let source = Program.folder.appendingPathComponent("hosts/\(name).c")
        let built = try Build(program: Program(source: source), library: .musl).executable()
        return try Execution.run(
            [Command.path, "run", "-m", limit, "--", built.path] + arguments,
            environment: Command.environment,
            timeLimit: 20
        )
    }

    @Test(arguments: [[], ["brk"]])
    func whatIsTouchedBelowTheLimitIsCounted(how: [String]) throws {
        let run = try run("touches-memory", ["100"] + how, limit: "192M")
        #expect(run.status == 0)
        #expect(run.errorText == "")
        #expect(run.outputText.contains("counted: 1\nalike: 1\ngiven back: 1\n"))
    }

    @Test func aProgramThatTouchesMoreIsKilledAsInAContainer() throws {
        let run = try run("touches-pieces", limit: "64M")
        #expect(run.status == 137)
        #expect(run.errorText.contains("more memory than --memory 64M allows"))
        #expect(run.errorText.split(separator: "\n").count == 1)
        // How far it came: what is used beyond the limit stays small.
        let pieces = run.outputText.split(separator: "\n").count
        #expect(pieces > 40 && pieces < 64 + 64)
    }

    @Test func onePieceThatIsMoreThanAllIsRefused() throws {
        let run = try run("touches-memory", ["150"], limit: "64M")
        #expect(run.outputText.contains("mmap of 157286400: ENOMEM"))
        #expect(run.status == 99)
    }
}
