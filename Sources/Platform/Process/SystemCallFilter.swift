import HostCalls
import LaunchRecord
import Platform

/// The seccomp(2) filter: the host answers only the calls of `hostCalls`, and only from the
/// hypercall page; every other `syscall` instruction is the program's and is caught by SIGSYS.
struct SystemCallFilter {
    /// In place: there is no heap yet.
    private var program = InlineArray<160, Instruction>(
        repeating: Instruction(code: 0, jumpTrue: 0, jumpFalse: 0, operand: 0)
    )
    private var count = 0

    /// struct sock_filter
    private struct Instruction {
        var code: UInt16
        var jumpTrue: UInt8
        var jumpFalse: UInt8
        var operand: UInt32
    }

    /// struct sock_fprog
    private struct Program {
        var length: UInt16
        var instructions: UnsafeMutableRawPointer?
    }

    // BPF codes, as linux/bpf_common.h combines them.
    private static var loadWord: UInt16 { 0x20 }
    private static var andConstant: UInt16 { 0x54 }
    private static var jumpEqual: UInt16 { 0x15 }
    private static var jumpGreaterOrEqual: UInt16 { 0x35 }
    private static var leave: UInt16 { 0x06 }

    // SECCOMP_RET_ values.
    private static var allow: UInt32 { 0x7fff_0000 }
    private static var trap: UInt32 { 0x0003_0000 }
    private static var killProcess: UInt32 { 0x8000_0000 }

    // Offsets into struct seccomp_data.
    private static var numberOffset: UInt32 { 0 }
    private static var architectureOffset: UInt32 { 4 }
    private static var instructionPointerOffset: UInt32 { 8 }
    private static func argumentOffset(_ index: UInt32) -> UInt32 { 16 + 8 * index }

    private static var architecture: UInt32 { 0xc000_003e }  // AUDIT_ARCH_X86_64

    /// Installs the filter for good; a negated errno when the host refuses it.
    static func install() -> Int64 {
        var filter = SystemCallFilter()
        filter.build()
        let setModeFilter: UInt64 = 1
        return withUnsafeMutablePointer(to: &filter.program) { instructions in
            var program = Program(length: UInt16(filter.count), instructions: instructions)
            return callHost(HostNumber.seccomp, setModeFilter, 0, address(&program))
        }
    }

    private mutating func build() {
        trapUnlessEqual(SystemCallFilter.architectureOffset, SystemCallFilter.architecture)
        let page = code_places.hypercall_page
        load(SystemCallFilter.instructionPointerOffset + 4)
        trapUnlessEqual(UInt32(page >> 32))
        load(SystemCallFilter.instructionPointerOffset)
        append(SystemCallFilter.andConstant, 0xffff_f000)
        trapUnlessEqual(UInt32(truncatingIfNeeded: page))
        for index in hostCalls.indices { allow(hostCalls[index]) }
        append(SystemCallFilter.leave, SystemCallFilter.killProcess)
    }

    private mutating func allow(_ call: HostCall) {
        load(SystemCallFilter.numberOffset)
        let skip = appendJump(SystemCallFilter.jumpEqual, call.number)
        switch call.check {
        case .none: append(SystemCallFilter.leave, SystemCallFilter.allow)
        case .descriptor(let argument, let allowed):
            load(SystemCallFilter.argumentOffset(argument))
            allowDescriptors(allowed)
        case .descriptorOrNone(let argument, let allowed):
            load(SystemCallFilter.argumentOffset(argument))
            allowIfEqual(.max)
            allowDescriptors(allowed)
        case .below(let argument, let bound):
            load(SystemCallFilter.argumentOffset(argument))
            append(SystemCallFilter.jumpGreaterOrEqual, bound, jumpTrue: 1)
            append(SystemCallFilter.leave, SystemCallFilter.allow)
        case .first(let value):
            load(SystemCallFilter.argumentOffset(0))
            allowIfEqual(value)
        case .firstTwo(let first, let second):
            load(SystemCallFilter.argumentOffset(0))
            append(SystemCallFilter.jumpEqual, first, jumpFalse: 3)
            load(SystemCallFilter.argumentOffset(1))
            allowIfEqual(second)
        }
        append(SystemCallFilter.leave, SystemCallFilter.killProcess)
        program[skip].jumpFalse = UInt8(count - skip - 1)
    }

    private mutating func allowDescriptors(_ allowed: UInt32) {
        for descriptor in 0..<UInt32(32) where allowed & (1 << descriptor) != 0 {
            allowIfEqual(descriptor)
        }
    }

    private mutating func allowIfEqual(_ value: UInt32) {
        append(SystemCallFilter.jumpEqual, value, jumpFalse: 1)
        append(SystemCallFilter.leave, SystemCallFilter.allow)
    }

    private mutating func trapUnlessEqual(_ offset: UInt32, _ value: UInt32) {
        load(offset)
        trapUnlessEqual(value)
    }

    private mutating func trapUnlessEqual(_ value: UInt32) {
        append(SystemCallFilter.jumpEqual, value, jumpTrue: 1)
        append(SystemCallFilter.leave, SystemCallFilter.trap)
    }

    private mutating func load(_ offset: UInt32) { append(SystemCallFilter.loadWord, offset) }

    private mutating func appendJump(_ code: UInt16, _ operand: UInt32) -> Int {
        append(code, operand)
        return count - 1
    }

    private mutating func append(
        _ code: UInt16,
        _ operand: UInt32,
        jumpTrue: UInt8 = 0,
        jumpFalse: UInt8 = 0
    ) {
        program[count] = Instruction(
            code: code,
            jumpTrue: jumpTrue,
            jumpFalse: jumpFalse,
            operand: operand
        )
        count += 1
    }
}
