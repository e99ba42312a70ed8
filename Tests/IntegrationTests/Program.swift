import Foundation

/// A C program of the folder `Programs`, named by the behaviour that it holds.
///
/// Directives stand in comment lines at the top of the file: `// args: a b`, `// stdin: text`
/// (with `\n` and `\t`), `// libc: glibc`, `// rootfs: folder of Programs/roots`,
/// `// cflags: -O0`, `// env: KEY=VALUE`, `// known: why it does not behave natively yet`,
/// `// process: why it cannot behave natively in a machine`.
struct Program: Sendable {
    let name: String
    let source: URL
    let directives: [String: String]

    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Programs")
    static let packageRoot =
        folder
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every program, in the order of their names.
    static let all: [Program] = {
        let entries = try? FileManager.default.contentsOfDirectory(
            at: folder,
            includingPropertiesForKeys: nil
        )
        return (entries ?? [])
            .filter { $0.pathExtension == "c" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map(Program.init(source:))
    }()

    init(source: URL) {
        self.source = source
        name = source.deletingPathExtension().lastPathComponent
        var directives: [String: String] = [:]
        let text = (try? String(contentsOf: source, encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            guard line.hasPrefix("// ") else { break }
            let parts = line.dropFirst(3).split(separator: ":", maxSplits: 1)
            guard parts.count == 2, !parts[0].contains(" ") else { continue }
            directives[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        self.directives = directives
    }

    var arguments: [String] { words("args") }
    var environment: [String] { words("env") }
    var compilerFlags: [String] { words("cflags") }

    var standardInput: String {
        (directives["stdin"] ?? "")
            .replacingOccurrences(of: "\\n", with: "\n")
            .replacingOccurrences(of: "\\t", with: "\t")
    }

    var rootFolder: URL? {
        directives["rootfs"].map { Self.folder.appendingPathComponent("roots/\($0)") }
    }

    var libraries: [CLibrary] {
        guard let only = directives["libc"] else { return CLibrary.allCases }
        return CLibrary.allCases.filter { $0.rawValue == only }
    }

    /// Whether the world under test can do what the program asks.
    var isForThisWorld: Bool { directives["process"] == nil || !Command.isMachine }

    private func words(_ directive: String) -> [String] {
        (directives[directive] ?? "").split(separator: " ").map(String.init)
    }
}

/// The C libraries that each program is linked with.
enum CLibrary: String, CaseIterable, Sendable {
    case glibc
    case musl

    var compiler: String {
        switch self {
        case .glibc: "/usr/bin/gcc"
        case .musl: "/usr/bin/musl-gcc"
        }
    }

    /// musl's compiler wrapper hides the kernel's own headers; they come after musl's.
    var flags: [String] {
        switch self {
        case .glibc: []
        case .musl:
            ["/usr/include", "/usr/include/x86_64-linux-gnu"].flatMap { ["-idirafter", $0] }
        }
    }
}
