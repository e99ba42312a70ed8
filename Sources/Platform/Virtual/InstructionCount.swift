import Interruption
import Platform

/// Counts instructions by single-stepping, the kernel's too: exact wherever the machine runs, and asks no
/// emulator or performance counter for anything.
enum InstructionCount {
    nonisolated(unsafe) private(set) static var isOn = false

    nonisolated(unsafe) private static var bounds: (start: UInt64, end: UInt64) = (0, 0)
    /// The instruction that will have been executed when the next exception comes.
    nonisolated(unsafe) private static var next: UInt64 = 0
    nonisolated(unsafe) private static var count: Int64 = 0

    /// What is longer is not what it should be.
    private static var limit: Int64 { 10_000 }
    private static var inputOutputError: Int64 { -5 }
    private static var trapFlag: UInt64 { UInt64(TRAP_FLAG) }

    /// The contract's operation.
    static func count(from start: UInt64, to end: UInt64) -> Int64 {
        guard start < end else { return 0 }
        let mask = UInt32(MSR_SYSTEM_CALL_MASK)
        let wereOn = interrupts_take_off() != 0
        bounds = (start, end)
        (next, count, isOn) = (0, 0, true)
        // The instruction is to leave the trap flag as it is.
        machine_register_write(mask, UInt64(SYSTEM_CALL_MASK) & ~trapFlag)
        machine_steps(start)
        machine_register_write(mask, UInt64(SYSTEM_CALL_MASK))
        if wereOn { interrupts_enable() }
        return count < limit ? count : inputOutputError
    }

    /// An instruction was executed. Nothing of what is counted may take another way because of the trap
    /// flag, so copies of the flags do not show it (SDM volume 3, section 18.3.1.4); and interrupts stay
    /// off.
    static func take(_ registers: Interruption.Registers) {
        let (executed, rip) = (next, registers.pointee.rip)
        next = rip
        // What led to the beginning does not count.
        guard executed != 0 else { return }
        // Behind `sti` an emulator may keep back not only interrupts but this exception too.
        let setInterrupts: UInt8 = 0xfb
        let isShadowed = byte(at: executed) == setInterrupts && rip != executed + 1
        count += isShadowed ? 2 : 1
        if rip == bounds.end || count >= limit { return end(registers) }
        let interruptFlag: UInt64 = 0x200
        registers.pointee.rflags &= ~interruptFlag
        if rip == machine_system_call_address() { registers.pointee.r11 &= ~trapFlag }
        let pushFlags: UInt8 = 0x9c
        guard Interruption.isKernelCode(executed), byte(at: executed) == pushFlags,
            let pushed = UnsafeMutablePointer<UInt64>(bitPattern: UInt(registers.pointee.rsp))
        else { return }
        pushed.pointee &= ~trapFlag
    }

    private static func end(_ registers: Interruption.Registers) {
        isOn = false
        registers.pointee.rip = machine_steps_end_address()
        registers.pointee.rflags &= ~trapFlag
        registers.pointee.rflags |= boot_cpu.kernel_flags
    }

    private static func byte(at address: UInt64) -> UInt8 {
        UnsafePointer<UInt8>(bitPattern: UInt(address))?.pointee ?? 0
    }
}
