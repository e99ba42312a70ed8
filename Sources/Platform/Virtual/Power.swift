import ACPI
import Platform
import Registers

/// The end of the machine.
enum Power {
    /// QEMU's isa-debug-exit device, which ends QEMU with twice the value plus one.
    private static var debugExit: UInt16 { 0xf4 }

    nonisolated(unsafe) private static var way: PowerOff? = nil

    /// Finds out how a machine is turned off that nobody else ends.
    ///
    /// - Parameter pointer: where the loader says that the firmware's tables begin, or zero.
    static func find(_ pointer: UInt64) {
        let memory = LowMemory()
        let pointer =
            pointer != 0 ? pointer : SystemTables<LowMemory>.findPointer(memory) ?? 0
        way = SystemTables(memory, pointer: pointer).flatMap { PowerOff($0) }
    }

    static func off(_ status: Int32) -> Never {
        port_write32(debugExit, UInt32(truncatingIfNeeded: status))
        // The device is not there. A status that nobody is told otherwise is said.
        if Images.hasOwnTerminal, status != 0 || way == nil { say(status) }
        if let way { turnOff(way) } else if isVirtual { reset() }
        interrupts_disable()
        while true { halt_for_good() }
    }

    private static func say(_ status: Int32) {
        LastWords.write("unirun: ends with status ")
        LastWords.writeDecimal(UInt8(truncatingIfNeeded: status))
        LastWords.write(way == nil ? "; this machine cannot be turned off\n" : "\n")
    }

    /// Whether there is a hypervisor (CPUID leaf 1, ECX bit 31).
    private static var isVirtual: Bool { processor_leaf(1, 0).ecx >> 31 != 0 }

    /// By the keyboard's controller, which ends a machine of Firecracker; others lack it.
    private static func reset() {
        let reset: UInt8 = 0xfe
        port_write8(0x64, reset)
    }

    // MARK: ACPI

    private static func turnOff(_ powerOff: PowerOff) {
        switch powerOff.way {
        case .control(let first, let firstValue, let second, let secondValue):
            takeOver(first, powerOff.handOver)
            write(first, firstValue)
            if let second { write(second, secondValue) }
        case .sleepControl(let register, let value):
            if register.isPort {
                port_write8(UInt16(register.address), value)
            } else if let pointer = Physical.low(register.address, 1) {
                device_store8(pointer, value)
            }
        }
        // It takes effect in a moment, or never.
        _ = MachineTime.wait(limit: 1_000_000_000) { false }
    }

    private static func write(_ register: PowerOff.Register, _ value: UInt16) {
        if register.isPort {
            port_write16(UInt16(register.address), value)
        } else if let pointer = Physical.low(register.address, 2) {
            device_store16(pointer, value)
        }
    }

    /// Asks firmware for the registers, where it has them still (ACPI 6.5, section 16.3.2).
    private static func takeOver(
        _ register: PowerOff.Register,
        _ handOver: (port: UInt16, value: UInt8)?
    ) {
        let isOurs: UInt16 = 1
        guard register.isPort, let handOver else { return }
        let port = UInt16(register.address)
        guard port_read16(port) & isOurs == 0 else { return }
        port_write8(handOver.port, handOver.value)
        _ = MachineTime.wait(limit: 1_000_000_000) { port_read16(port) & isOurs != 0 }
    }

    /// What the kernel sees of physical memory, below 4 GiB.
    private struct LowMemory: PhysicalMemory {
        func bytes(_ address: UInt64, _ count: Int) -> UnsafeRawBufferPointer? {
            guard let pointer = Physical.low(address, count) else { return nil }
            return UnsafeRawBufferPointer(start: pointer, count: count)
        }
    }
}
