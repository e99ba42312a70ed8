import Foundation

/// One program linked with one C library.
struct Build: Sendable, CustomStringConvertible {
    let program: Program
    let library: CLibrary

    static let all: [Build] = Program.all.filter(\.isForThisWorld).flatMap { program in
        program.libraries.map { Build(program: program, library: $0) }
    }

    var description: String { "\(program.name) (\(library.rawValue))" }

    /// The compiled program. It is kept in `.build/integration` under a hash of what it is made of.
    func executable() throws -> URL {
        let folder = Program.packageRoot.appendingPathComponent(".build/integration")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // gcc takes the wrong start files where both kinds of static are asked for.
        let isPIE = program.compilerFlags.contains("-static-pie")
        let flags =
            ["-O1", "-pthread", "-w", "-I", Program.folder.path] + (isPIE ? [] : ["-static"])
            + library.flags + program.compilerFlags
        let hash = try contentHash(flags: flags)
        let binary = folder.appendingPathComponent("\(program.name)-\(library.rawValue)-\(hash)")
        if FileManager.default.isExecutableFile(atPath: binary.path) { return binary }

        let scratch = folder.appendingPathComponent(UUID().uuidString)
        let compilation = try Execution.run(
            [library.compiler] + flags + ["-o", scratch.path, program.source.path],
            environment: ["PATH=/usr/bin:/bin"],
            timeLimit: 120
        )
        guard compilation.status == 0 else {
            throw BuildFailure(description: "\(self): " + compilation.errorText)
        }
        guard rename(scratch.path, binary.path) == 0 else {
            throw BuildFailure(description: "\(self): cannot name the compiled program")
        }
        return binary
    }

    /// FNV-1a over flags, source and shared headers.
    private func contentHash(flags: [String]) throws -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        flags.forEach { mix($0.utf8) }
        mix(library.rawValue.utf8)
        mix(try Data(contentsOf: program.source))
        mix(try Data(contentsOf: Program.folder.appendingPathComponent("facts.h")))
        return String(hash, radix: 16)
    }
}

struct BuildFailure: Error, CustomStringConvertible {
    let description: String
}
