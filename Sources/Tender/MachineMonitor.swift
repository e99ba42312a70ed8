import Glibc
import TenderSupport

/// `unirun`'s end of QEMU's monitor: QMP, of which three commands and one event are used.
struct MachineMonitor {
    /// A socket.
    let descriptor: Int32

    /// Without this QEMU takes no commands and tells no events. Answers are never waited for: a
    /// machine of which nothing is asked need not be listened to.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        send("qmp_capabilities")
    }

    /// Raises the interrupt that a program cannot turn off.
    func interrupt() { send("inject-nmi") }

    /// Pulls the machine's network out. QEMU looks at an interface that is gone again and again.
    func removeNetwork() { send("netdev_del", "{\"id\": \"\(VirtualMachine.networkName)\"}") }

    private func send(_ command: String, _ arguments: String = "{}") {
        let text = Array("{\"execute\": \"\(command)\", \"arguments\": \(arguments)}\n".utf8)
        // The socket takes more than is ever sent; a QEMU that is gone is seen elsewhere.
        _ = text.withUnsafeBytes {
            Glibc.send(
                descriptor,
                $0.baseAddress,
                $0.count,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            )
        }
    }

    /// Why QEMU ended, as it told before: QMP's event SHUTDOWN.
    func endReason() -> String? {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        guard count > 0 else { return nil }
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        let events = text.split(separator: "\n")
        guard let event = events.last(where: { $0.contains("\"SHUTDOWN\"") }) else { return nil }
        let words = event.split(separator: "\"").map(String.init)
        guard let index = words.firstIndex(of: "reason"), index + 2 < words.count else {
            return nil
        }
        return words[index + 2]
    }
}
