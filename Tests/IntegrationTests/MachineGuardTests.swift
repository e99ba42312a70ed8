import Foundation
import Testing

/// In a machine a wild pointer of the program into the kernel's data is the program's fault, not the
/// kernel's end.
@Suite(.enabled(if: Command.isBuilt && KernelImage.isBuilt && Command.isMachine))
struct MachineGuardTests {
    private func reach(_ way: String, _ addresses: [UInt64]) throws -> Execution {
        let source = Program.folder.appendingPathComponent("guard/reaches-for-kernel-data.c")
        let built = try Build(program: Program(source: source), library: .musl).executable()
        return try Execution.run(
            [Command.path, "run"] + Command.options + ["--", built.path, way]
                + addresses.map { "0x" + String($0, radix: 16) },
            environment: Command.environment,
            timeLimit: ProgramTests.timeLimit
        )
    }

    /// Variables of the image and the heap; the first megabytes of the map of all memory.
    private func data() throws -> [UInt64] {
        let image = try KernelImage.debug()
        let names = ["boot_cpu", "system_call_table", "root_table", "plain_sites"]
        let directMap: UInt64 = 0x7e00_0000_0000
        return try names.map { try image.address(of: $0) }
            + [directMap + 0x1000, directMap + (2 << 20), directMap + (3 << 20)]
    }

    @Test(arguments: ["reads", "writes"]) func kernelDataIsOutOfReach(way: String) throws {
        let addresses = try data()
        let run = try reach(way, addresses)
        let lines = addresses.map { _ in "stopped\n" } + ["goes on\n"]
        #expect(run.outputText == lines.joined())
        #expect(run.status == 0)
    }

    @Test func kernelTextAndConstantsAreNotWritten() throws {
        let image = try KernelImage.debug()
        let names = ["system_call_entry", "vdso_image"]
        let run = try reach("writes", try names.map { try image.address(of: $0) })
        #expect(run.outputText == "stopped\nstopped\ngoes on\n")
        #expect(run.status == 0)
    }
}
