import Foundation
import Testing

/// `--gdb`: a stock gdb, with the script that is announced.
@Suite(.enabled(if: Command.isBuilt && !Command.isNative && !Command.isMachine))
struct DebuggerTests {
    @Test(arguments: ["start-static-pie", "files-names-move-and-go"])
    func gdbStopsInTheProgramAndTellsTheWayThere(_ name: String) throws {
        let build = try #require(Build.all.first { $0.program.name == name })
        let folder = try ScratchFolder()
        // gdb ends the program, which ends unirun.
        let session = """
            "$1" run --gdb -- "$2" 2>announced &
            until grep -q ' -x ' announced; do sleep 0.05; done
            gdb -nx -batch -x "$(sed 's/.* -x //' announced)" -ex 'break main' -ex continue \\
                -ex backtrace -ex 'break write' -ex continue -ex backtrace -ex kill 2>&1
            wait
            """
        let run = try Execution.run(
            ["/bin/sh", "-c", session, "sh", Command.path, build.executable().path],
            environment: Command.environment + ["TMPDIR=\(folder.path)"],
            folder: folder.path,
            timeLimit: 60
        )
        #expect(!run.timedOut)
        let frames = run.outputText.split(separator: "\n").filter { $0.hasPrefix("#") }
        let main = frames.firstIndex { $0.hasPrefix("#0") && $0.contains("main (") }
        #expect(main != nil, "\(run.outputText)")
        // From the second stop back to main.
        let rest = frames.dropFirst((main ?? 0) + 1)
        #expect(rest.contains { $0.hasPrefix("#0") && $0.contains("write") }, "\(run.outputText)")
        #expect(rest.contains { !$0.hasPrefix("#0") && $0.contains("main (") }, "\(run.outputText)")
    }
}
