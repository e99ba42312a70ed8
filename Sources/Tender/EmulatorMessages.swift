import Glibc

/// What QEMU says on its standard error where it runs a machine by KVM. It is passed on; but where KVM
/// gives up, QEMU shows registers of the guest and waits for ever, of which the reason alone is kept.
struct EmulatorMessages {
    /// Where it comes from; -1 once it has ended.
    private(set) var descriptor: Int32
    /// Why KVM gave up.
    private(set) var failure: String?
    /// The beginning of a line.
    private var rest: [UInt8] = []
    /// A line that the next one may explain.
    private var held: String?

    var hasEnded: Bool { descriptor < 0 }

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Reads what has come; waits where nothing has.
    mutating func take() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else {
            if count < 0, errno == EINTR { return }
            return finish()
        }
        for byte in bytes[..<count] {
            rest.append(byte)
            if byte == UInt8(ascii: "\n") || rest.count >= bytes.count { endLine() }
        }
    }

    private mutating func finish() {
        close(descriptor)
        descriptor = -1
        if !rest.isEmpty { endLine() }
        passOnHeld()
    }

    private mutating func endLine() {
        let line = String(decoding: rest, as: UTF8.self)
        rest = []
        guard failure == nil else { return }
        let text = line.last == "\n" ? String(line.dropLast()) : line
        // As QEMU writes them: accel/kvm/kvm-all.c.
        if text.hasPrefix("KVM internal error") || text.contains("kvm run failed") {
            failure = text
        } else if text.contains("failed to initialize kvm") {
            failure = held ?? text
            held = nil
        } else {
            passOnHeld()
            if text.hasPrefix("Could not access KVM") { held = text } else { passOn(line) }
        }
    }

    private mutating func passOnHeld() {
        if let held { passOn(held + "\n") }
        held = nil
    }

    private func passOn(_ line: String) {
        _ = Array(line.utf8).withUnsafeBytes { writeAll(STDERR_FILENO, $0) }
    }
}
