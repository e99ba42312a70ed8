import Foundation
import Testing

/// What `--stats` tells of a machine alone.
@Suite(.enabled(if: Command.isBuilt && Command.isMachine))
struct MachineStatisticsTests {
    private static let limits = ["rewritten": 45, "trapped": 60]

    private func counts(_ machine: String) throws -> [String: Int] {
        let build = try #require(Build.all.first { $0.program.name == "start-static-pie" })
        let run = try Execution.run(
            [Command.path, "run", "--stats"] + Command.options + ["--machine", machine]
                + ["--", build.executable().path],
            environment: Command.environment,
            timeLimit: ProgramTests.timeLimit
        )
        var counts: [String: Int] = [:]
        for line in run.errorText.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let name = words.first, name.hasPrefix("null_call_instructions_") else {
                continue
            }
            counts[String(name.dropFirst("null_call_instructions_".count))] = Int(words[1])
        }
        return counts
    }

    @Test func instructionsOfANullCallAreExactAndFew() throws {
        let first = try counts("microvm")
        #expect(first.keys.sorted() == Self.limits.keys.sorted())
        for (name, limit) in Self.limits {
            let count = try #require(first[name])
            // The six registers of the arguments alone are saved and loaded by twelve.
            #expect((24...limit).contains(count), "\(name): \(count)")
        }
        #expect(try #require(first["rewritten"]) < #require(first["trapped"]))
        #expect(try counts("microvm") == first)
        #expect(try counts("q35") == first)
    }
}
