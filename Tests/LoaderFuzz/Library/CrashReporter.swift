import Glibc

/// Saves the case that was being tried when the process is about to die of a trap.
enum CrashReporter {
    nonisolated(unsafe) private static var bytes = UnsafeMutableRawPointer.allocate(
        byteCount: capacity,
        alignment: 16
    )
    nonisolated(unsafe) private static var count = 0
    nonisolated(unsafe) private static var seed: UInt64 = 0
    private static let capacity = 8 << 20

    static func install(seed: UInt64) {
        self.seed = seed
        bytes.storeBytes(of: 0, as: UInt8.self)
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
            signal(number) { number in
                let saved = CrashReporter.save()
                let place = saved ? "reproducer: loader-fuzz.case" : "no reproducer"
                fputs(
                    "loader-fuzz: signal \(number), seed \(CrashReporter.seed), \(place)\n",
                    stderr
                )
                _exit(1)
            }
        }
    }

    static func remember(_ data: [UInt8]) {
        count = min(data.count, capacity)
        data.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            bytes.copyMemory(from: start, byteCount: count)
        }
    }

    static func save() -> Bool {
        let descriptor = open("loader-fuzz.case", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return write(descriptor, bytes, count) == count
    }
}
