import Platform
import Registers

/// The processor's local APIC (SDM volume 3, chapter 11): its timer, and ends of interrupts.
enum InterruptController {
    static var timerVector: UInt64 { 0x20 }
    static var spuriousVector: UInt64 { 0x2f }
    /// Devices have those in between.
    static var deviceVectors: ClosedRange<UInt64> { 0x21...0x2e }

    // Registers, as offsets into the APIC's page.
    private static var endOfInterrupt: UInt64 { 0xb0 }
    private static var spurious: UInt64 { 0xf0 }
    private static var timer: UInt64 { 0x320 }
    private static var localInterrupt1: UInt64 { 0x360 }
    private static var initialCount: UInt64 { 0x380 }
    private static var currentCount: UInt64 { 0x390 }
    private static var divide: UInt64 { 0x3e0 }

    private static var base: UInt64 { 0xfee0_0000 }

    private static func write(_ register: UInt64, _ value: UInt32) {
        device_store32(Physical.pointer(base &+ register), value)
    }

    static func start() {
        // The controllers of the first PCs, where there are any: nothing comes through them.
        let masked: UInt8 = 0xff
        port_write8(0x21, masked)
        port_write8(0xa1, masked)
        let enabled: UInt32 = 0x100
        write(spurious, enabled | UInt32(spuriousVector))
        let byOne: UInt32 = 0xb
        write(divide, byOne)
        write(timer, UInt32(timerVector))
        // Where PCs have the line of the non-maskable interrupt: unirun's watchdog.
        let nonMaskable: UInt32 = 0x400
        write(localInterrupt1, nonMaskable)
    }

    /// Lets the timer take deadlines of the processor's counter instead of ticks (section 11.5.4.1);
    /// false where it does not.
    static func startDeadlines() -> Bool {
        guard processor_leaf(1, 0).ecx >> 24 & 1 != 0 else { return false }
        let deadlineMode: UInt32 = 2 << 17
        write(timer, deadlineMode | UInt32(timerVector))
        // The processor must see the mode before a deadline.
        memory_fence()
        return true
    }

    /// Asks for one interrupt when the counter reaches a value; zero asks for none.
    static func setDeadline(_ cycles: UInt64) {
        let deadline: UInt32 = 0x6e0
        machine_register_write(deadline, cycles)
    }

    /// The message that a device sends to interrupt this processor with a vector (section 11.11).
    static func message(_ vector: UInt64) -> (address: UInt64, data: UInt32) {
        (base, UInt32(vector))
    }

    /// Lets the I/O APIC (82093AA) send a device's interrupt to this processor; false when it has no
    /// such line. QEMU has a second one for the lines after the first's.
    static func route(_ line: UInt32, to vector: UInt64) -> Bool {
        let linesOfFirst: UInt32 = 24
        let isSecond = line >= linesOfFirst
        let line = isSecond ? line - linesOfFirst : line
        let select = Physical.pointer(isSecond ? 0xfec1_0000 : 0xfec0_0000)
        let window = select + 0x10
        let version: UInt32 = 1
        device_store32(select, version)
        let last = device_load32(window) >> 16 & 0xff
        guard line <= last, last < 240 else { return false }
        device_store32(select, 0x10 + 2 * line + 1)
        device_store32(window, 0)
        device_store32(select, 0x10 + 2 * line)
        device_store32(window, UInt32(vector))
        return true
    }

    static func endInterrupt() { write(endOfInterrupt, 0) }

    /// Asks for one interrupt after so many ticks; zero asks for none.
    static func setTimer(_ ticks: UInt32) { write(initialCount, ticks) }

    /// Asks for an interrupt each time so many ticks have passed.
    static func startPeriods(_ ticks: UInt32) {
        let periodic: UInt32 = 1 << 17
        write(timer, periodic | UInt32(timerVector))
        write(initialCount, ticks)
    }

    static func stopPeriods() {
        write(initialCount, 0)
        write(timer, UInt32(timerVector))
    }

    /// Ticks until the end of the period.
    static var ticksLeft: UInt32 { device_load32(Physical.pointer(base &+ currentCount)) }
}
