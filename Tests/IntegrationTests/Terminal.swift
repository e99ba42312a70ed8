import Foundation

/// A pseudo-terminal with a command on its other end.
final class Terminal {
    private let controller: Int32
    private let process: pid_t

    /// Starts the command as the leader of a session that the terminal controls.
    init(
        _ command: [String],
        environment: [String],
        folder: String,
        rows: UInt16 = 24,
        columns: UInt16 = 80
    ) throws {
        controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // TIOCSPTLCK and TIOCGPTN: what unlockpt and ptsname do, which Swift's overlay lacks.
        var unlocked: Int32 = 0
        var number: Int32 = 0
        guard controller >= 0, ioctl(controller, 0x4004_5431, &unlocked) == 0,
            ioctl(controller, 0x8004_5430, &number) == 0
        else { throw BuildFailure(description: "no pseudo-terminal to be had") }
        let name = "/dev/pts/\(number)"
        Self.setSize(of: controller, rows: rows, columns: columns)
        process = try Execution.start(
            command,
            environment: environment,
            folder: folder,
            descriptors: [(name, O_RDWR), (name, O_RDWR), (name, O_RDWR)]
        )
        _ = fcntl(controller, F_SETFL, O_NONBLOCK)
    }

    deinit { close(controller) }

    func send(_ keys: String) {
        let bytes = Array(keys.utf8)
        _ = bytes.withUnsafeBytes { write(controller, $0.baseAddress, $0.count) }
    }

    func resize(rows: UInt16, columns: UInt16) {
        Self.setSize(of: controller, rows: rows, columns: columns)
    }

    /// Reads until the text has appeared since the last call, or for ten seconds; all that came.
    @discardableResult
    func read(until text: String) -> String {
        let wanted = Array(text.utf8)
        return collect(timeLimit: 10) { Self.contains($0, wanted) }
    }

    /// Reads until nothing has come for a while: what a program drew.
    @discardableResult
    func readUntilQuiet(seconds: Double = 0.4) -> String {
        collect(timeLimit: 10, quiet: seconds) { _ in false }
    }

    /// Reads to the end; the exit status as `Execution` has it, nil where it had to be killed.
    func finish() throws -> (output: String, status: Int32?) {
        let status = try Execution.wait(for: process, timeLimit: 10)
        return (collect(timeLimit: 0.2) { _ in false }, status)
    }

    private func collect(
        timeLimit: Double,
        quiet: Double? = nil,
        until isEnough: ([UInt8]) -> Bool
    ) -> String {
        let deadline = Date(timeIntervalSinceNow: timeLimit)
        var collected: [UInt8] = []
        var last = Date()
        var buffer = [UInt8](repeating: 0, count: 4096)
        while Date() < deadline, !isEnough(collected) {
            let count = Glibc.read(controller, &buffer, buffer.count)
            if count > 0 {
                collected += buffer[..<count]
                last = Date()
                continue
            }
            if count < 0, errno == EIO { break }
            if let quiet, Date().timeIntervalSince(last) > quiet { break }
            usleep(2_000)
        }
        return String(decoding: collected, as: UTF8.self)
    }

    private static func contains(_ bytes: [UInt8], _ wanted: [UInt8]) -> Bool {
        guard bytes.count >= wanted.count else { return false }
        return (0...(bytes.count - wanted.count)).contains { start in
            bytes[start..<(start + wanted.count)].elementsEqual(wanted)
        }
    }

    private static func setSize(of descriptor: Int32, rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
    }
}
