import Platform
import Virtio

/// The machine's network card as the contract has it. Only the kernel touches its queues: an interrupt
/// says no more than that there is something to look at.
enum Card {
    nonisolated(unsafe) private static var device: UnsafeMutablePointer<NetworkDevice<Transport>>?
    /// It did what no device may do, and is not used any more.
    nonisolated(unsafe) private static var isBroken = false

    // Errors of the contract.
    private static var failed: Int64 { -5 }
    private static var noDevice: Int64 { -19 }

    /// False when the device cannot be used, or there is one already.
    static func start(_ transport: Transport) -> Bool {
        guard device == nil,
            let memory = MachineMemory.reserveShared(MemoryLayout<NetworkDevice<Transport>>.size),
            let card = try? NetworkDevice(transport, { MachineMemory.reserveShared($0) })
        else { return false }
        let place = memory.pointer.bindMemory(to: NetworkDevice<Transport>.self, capacity: 1)
        place.initialize(to: card)
        device = place
        return true
    }

    static func takeInterrupt() {
        device?.pointee.acknowledgeInterrupt()
        cpu_set_pending(UInt32(CPU_PENDING_FRAMES))
    }

    // MARK: Operations of the contract

    static func describe(_ description: UnsafeMutablePointer<platform_card>) -> Int64 {
        guard let device else { return noDevice }
        guard !isBroken else { return failed }
        var told = platform_card()
        withUnsafeMutableBytes(of: &told.address) { bytes in
            for index in 0..<6 { bytes[index] = device.pointee.address[index] }
        }
        told.packet_limit = UInt16(device.pointee.packetLimit)
        told.has_link = device.pointee.hasLink ? 1 : 0
        description.pointee = told
        return 0
    }

    static func receive(_ frame: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int64 {
        guard let device else { return noDevice }
        guard !isBroken else { return failed }
        do throws(QueueFault) {
            guard let bytes = try device.pointee.receive() else { return 0 }
            frame.pointee = bytes.baseAddress
            return Int64(bytes.count)
        } catch {
            isBroken = true
            return failed
        }
    }

    static func room() -> UnsafeMutableRawPointer? {
        guard let device, !isBroken else { return nil }
        do throws(QueueFault) { return try device.pointee.room()?.baseAddress } catch {
            isBroken = true
            return nil
        }
    }

    static func send(_ length: UInt64) { device?.pointee.send(Int(length)) }
}
