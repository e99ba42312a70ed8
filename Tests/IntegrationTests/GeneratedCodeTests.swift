import Foundation
import Testing

/// The machine code of the image keeps what the source cannot promise.
@Suite struct GeneratedCodeTests {
    private static let code = try? Disassembly(KernelImage.debugPath)

    @Test(.enabled(if: KernelImage.isBuilt))
    func kernelUsesNoVectorRegister() throws {
        let code = try #require(Self.code)
        let registers = try Regex("%([xyz]mm|mm[0-7]|st)")
        // What a thread's registers are saved and loaded by.
        let movers = ["vector_registers_save", "vector_registers_restore"]
        for (name, lines) in code.functions where !movers.contains(name) {
            let vector = lines.filter { $0.contains(registers) }
            #expect(vector.isEmpty, "\(name)")
        }
    }

    /// The way in and out that every call takes, where nothing is pending.
    @Test(.enabled(if: KernelImage.isBuilt))
    func wayOfASystemCallHasNoLockedInstruction() throws {
        let code = try #require(Self.code)
        let names = [
            "system_call_entry_begun", "system_call_return", "system_call_leave",
            "system_call_entry_brief_begun", "system_call_brief_leave",
        ]
        for name in names {
            let lines = try #require(code.functions[name], "\(name)")
            #expect(!lines.isEmpty)
            #expect(lines.filter(Self.isLocked).isEmpty, "\(name)")
        }
    }

    @Test(
        .enabled(if: KernelImage.isBuilt),
        arguments: ["sysParentID", "sysProcessID", "sysThreadID"]
    )
    func handlersThatOnlyReadCountNoReference(_ name: String) throws {
        let code = try #require(Self.code)
        let reached = code.reached(from: code.names(containing: "SyscallShim\(name.count)\(name)"))
        #expect(!reached.isEmpty)
        #expect(reached.isDisjoint(with: ["swift_retain", "swift_release"]))
        for function in reached {
            let locked = try #require(code.functions[function]).filter(Self.isLocked)
            #expect(locked.isEmpty, "\(name) reaches \(function)")
        }
    }

    /// Relative paths below the working directory take no other way.
    @Test(
        .enabled(if: KernelImage.isBuilt),
        arguments: ["SyscallShim9sysStatusy", "SyscallShim19sysDescriptorStatusy"]
    )
    func handlersOfStatusCountNoReference(_ part: String) throws {
        let code = try #require(Self.code)
        let names = code.names(containing: part)
        #expect(!names.isEmpty)
        for name in names {
            let counts = try #require(code.functions[name]).filter { $0.contains("swift_retain") }
            #expect(counts.isEmpty, "\(name)")
        }
    }

    /// Their slow ways out may retain, which is a call; the code itself counts nothing.
    @Test(
        .enabled(if: KernelImage.isBuilt),
        arguments: [
            "SyscallShim7sysRead", "SyscallShim8sysWrite", "Kernel11RegularFileC4read",
            "Kernel11RegularFileC5write", "Kernel10MemoryFileC9readPages",
            "Kernel10MemoryFileC10writePages", "user_copy",
        ]
    )
    func readAndWriteOfMemoryFilesHaveNoLockedInstruction(_ part: String) throws {
        let code = try #require(Self.code)
        let names = code.names(containing: part).filter { !$0.contains("Vector") }
        #expect(!names.isEmpty)
        for name in names {
            let locked = try #require(code.functions[name]).filter(Self.isLocked)
            #expect(locked.isEmpty, "\(name)")
        }
    }

    private static func isLocked(_ line: String) -> Bool {
        line.split(whereSeparator: \.isWhitespace).contains("lock")
    }
}

/// What objdump(1) reads in an image, by function.
private struct Disassembly {
    var functions: [String: [String]] = [:]

    init(_ path: String) throws {
        let run = try Execution.run(
            ["/usr/bin/objdump", "-d", "--no-show-raw-insn", path],
            environment: ["PATH=/usr/bin:/bin"],
            timeLimit: 120
        )
        var name = ""
        var lines: [String] = []
        for line in run.outputText.split(separator: "\n") {
            guard line.hasSuffix(">:"), let start = line.firstIndex(of: "<") else {
                lines.append(String(line))
                continue
            }
            functions[name] = lines
            name = String(line[line.index(after: start)...].dropLast(2))
            lines = []
        }
        functions[name] = lines
        functions[""] = nil
    }

    func names(containing part: String) -> [String] {
        functions.keys.filter { $0.contains(part) }.sorted()
    }

    /// The functions that these call or jump to directly, and so on.
    func reached(from roots: [String]) -> Set<String> {
        var reached = Set(roots)
        var open = roots
        while let function = open.popLast() {
            for line in functions[function] ?? [] {
                guard let target = Self.target(of: line), functions[target] != nil,
                    reached.insert(target).inserted
                else { continue }
                open.append(target)
            }
        }
        return reached
    }

    private static func target(of line: String) -> String? {
        guard line.contains("call") || line.contains("\tj"),
            let start = line.lastIndex(of: "<"), let end = line.lastIndex(of: ">")
        else { return nil }
        let target = line[line.index(after: start)..<end]
        return String(target.prefix { $0 != "+" })
    }
}
