import ELFFile
import Glibc
import LinuxABI
import LoaderCore

/// Feeds damaged programs, scripts and stacks to the loader, and checks what comes back.
///
/// The runs follow from the seed alone. Each file is kept aside first: when the loader traps, the
/// signal's handler writes it out as the reproducer.
public struct LoaderFuzzer {
    public private(set) var executions = 0
    /// How many damaged files were still accepted.
    public private(set) var planned = 0
    /// How many went through libelf: symbols, notes and the scan.
    public private(set) var inspected = 0

    private var mutators: [HeaderMutator]
    private var generator: SeededGenerator
    private var current: [UInt8] = []
    private let descriptor: CInt

    public init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        let programs = [SampleProgram.fixed(), SampleProgram.relocatable()] + Self.installed()
        mutators = programs.enumerated().map { index, bytes in
            HeaderMutator(bytes, seed: seed &+ UInt64(index) &* 0x1_0001)
        }
        descriptor = Self.temporaryFile()
    }

    /// A file without a name, for what libelf is to read. It lives as long as the process.
    private static func temporaryFile() -> CInt {
        for folder in ["/dev/shm", "/tmp"] {
            var template = Array("\(folder)/loader-fuzz-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            guard descriptor >= 0 else { continue }
            unlink(template)
            return descriptor
        }
        return -1
    }

    /// Real programs, where there are any that are small enough to be copied often.
    private static func installed() -> [[UInt8]] {
        ["/bin/busybox", "/usr/lib/go-1.19/pkg/tool/linux_amd64/pack"].compactMap { path in
            guard let file = try? HostFile(path: path) else { return nil }
            var bytes = [UInt8](repeating: 0, count: Int(min(file.size, 4 << 20)))
            let count = bytes.withUnsafeMutableBytes { try? file.read(at: 0, into: $0) }
            return count == bytes.count ? bytes : nil
        }
    }

    /// Tries `rounds` files; returns what was wrong with one.
    public mutating func run(rounds: Int) -> String? {
        for _ in 0..<rounds {
            executions += 1
            // The real programs cost a copy of megabytes each: fewer of them.
            let isReal = executions % 128 == 0 && mutators.count > 2
            let choice =
                isReal ? Int.random(in: 2..<mutators.count, using: &generator) : executions % 2
            current = mutators[choice].next()
            CrashReporter.remember(current)
            if let failure = plan() ?? inspect(isReal) ?? script() { return failure }
        }
        return nil
    }

    private mutating func plan() -> String? {
        let limits = AddressLimits.x86
        let base = limits.randomizedBase(generator.next(), bits: 28)
        guard let plan = try? LoadPlan(MemoryFile(current), limits: limits, base: base) else {
            return nil
        }
        planned += 1
        if let broken = plan.brokenPromise(fileSize: UInt64(current.count), limits: limits) {
            return broken
        }
        return nil
    }

    /// What `unirun` does with a file before it starts it, and now and then what `check` does.
    private mutating func inspect(_ isReal: Bool) -> String? {
        guard isReal || executions % 4 == 0 else { return nil }
        guard ftruncate(descriptor, 0) == 0,
            pwrite(descriptor, current, current.count, 0) == current.count
        else { return "cannot write the temporary file" }
        inspected += 1
        do throws(ProgramError) {
            let image = try ExecutableImage(path: "/proc/self/fd/\(descriptor)")
            _ = image.summary
            _ = image.symbols.describe(image.plan.entry &- image.plan.bias)
            if executions % (isReal ? 2048 : 16) == 0 { _ = image.scanSystemCalls() }
        } catch {
            if error.description.contains("\n") { return "message of two lines" }
        }
        return nil
    }

    private mutating func script() -> String? {
        var line = Array("#!".utf8)
        let alphabet = Array(" \t/ab\n\0".utf8)
        for _ in 0..<Int.random(in: 0..<300, using: &generator) {
            line.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
        }
        return line.withUnsafeBytes { bytes in
            guard let script = try? ScriptLine(bytes) else { return nil }
            let end = script.argument?.upperBound ?? script.interpreter.upperBound
            return end <= min(256, bytes.count) ? nil : "script line beyond its bytes"
        }
    }

    /// Keeps the case of a trap, too. It takes over the process's fault signals.
    public func reportCrashes(seed: UInt64) { CrashReporter.install(seed: seed) }

    /// Writes the last file to the working directory, and says where.
    public func saveFailingCase() -> String {
        CrashReporter.remember(current)
        return CrashReporter.save() ? "reproducer: loader-fuzz.case" : "no reproducer"
    }
}
