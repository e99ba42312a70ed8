import Platform
import Virtio

/// Memory that nobody uses goes back to the host, by the balloon's free page reporting.
enum FreePages {
    nonisolated(unsafe) private static var balloon: BalloonDevice<Transport>? = nil

    /// Less is not worth a request. Tables of pages lie among the pages of a program, so that
    /// what becomes free is seldom in large pieces.
    private static var leastLength: UInt64 { 64 << 10 }
    private static var largestReport: UInt64 { 1 << 30 }
    /// Nanoseconds after which a report is taken not to end.
    private static var patience: UInt64 { 30_000_000_000 }

    static func start(_ transport: Transport) -> Bool {
        guard balloon == nil else { return false }
        balloon = try? BalloonDevice(transport) { MachineMemory.reserveShared($0) }
        return balloon != nil
    }

    static func takeInterrupt() { balloon?.acknowledgeInterrupt() }

    /// Makes a range of the machine's memory zero and gives it back. Nobody uses it.
    static func release(_ offset: UInt64, _ length: UInt64) {
        MachineMemory.clear(offset, length)
        guard length >= leastLength, balloon != nil else { return }
        var done: UInt64 = 0
        while done < length {
            let piece = min(MachineMemory.run(offset + done, length - done), largestReport)
            report(MachineMemory.physical(offset + done), UInt32(piece))
            done += piece
        }
    }

    /// Returns when the device is done with the range, which may not be used before.
    private static func report(_ address: UInt64, _ length: UInt32) {
        guard balloon?.report(address, length) == true else { dieOfDevice() }
        // QEMU's balloon does not interrupt on PCI.
        let hasEnded = MachineTime.wait(limit: patience, halts: false) {
            do throws(QueueFault) { return try balloon?.hasReported() ?? true } catch {
                dieOfDevice()
            }
        }
        if !hasEnded { dieOfDevice() }
    }

    /// It may still take memory that it was told of.
    private static func dieOfDevice() -> Never {
        die("the machine's balloon does not do what it is asked")
    }
}
