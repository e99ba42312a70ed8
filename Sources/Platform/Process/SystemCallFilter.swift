import HostCalls
import LaunchRecord
import Platform

/// The seccomp(2) filter: the host answers only the calls of `hostCalls`, and only from the
/// hypercall page; every other `syscall` instruction is the program's and is caught by SIGSYS.
struct SystemCallFilter {
    /// In place: there is no heap yet.
    private var program = InlineArray<96, Instruction>(
        repeating: Instruction(code: 0, jumpTrue: 0, jumpFalse: 0, operand: 0)
    )
    private var count = 0
    /// Where each call's check of its arguments begins.
    private var checks = InlineArray<32, UInt8>(repeating: 0)

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

    /// Where a jump leads: a distance, or until all is built one of these. A call's check is its
    /// number in the table from `firstCheck` on.
    private enum Target {
        static var next: UInt8 { 0 }
        static var firstCheck: UInt8 { 128 }
        static var allow: UInt8 { 252 }
        static var kill: UInt8 { 253 }
        static var trap: UInt8 { 254 }
        static var notify: UInt8 { 255 }
    }

    // BPF codes, as linux/bpf_common.h combines them.
    private static var loadWord: UInt16 { 0x20 }
    private static var andConstant: UInt16 { 0x54 }
    private static var jumpClass: UInt16 { 0x05 }
    private static var jumpEqual: UInt16 { 0x15 }
    private static var jumpGreaterOrEqual: UInt16 { 0x35 }
    private static var leave: UInt16 { 0x06 }

    // SECCOMP_RET_ values.
    private static var allow: UInt32 { 0x7fff_0000 }
    private static var notify: UInt32 { 0x7fc0_0000 }
    private static var trap: UInt32 { 0x0003_0000 }
    private static var killProcess: UInt32 { 0x8000_0000 }

    // Offsets into struct seccomp_data.
    private static var numberOffset: UInt32 { 0 }
    private static var architectureOffset: UInt32 { 4 }
    private static var instructionPointerOffset: UInt32 { 8 }
    private static func argumentOffset(_ index: UInt32) -> UInt32 { 16 + 8 * index }

    private static var architecture: UInt32 { 0xc000_003e }  // AUDIT_ARCH_X86_64

    /// The descriptor on which calls are asked about, or a negated errno when the host has none to give.
    nonisolated(unsafe) private(set) static var listener: Int64 = 0

    /// Installs the filter for good; a negated errno when the host refuses it. Without a listener it
    /// refuses the calls that `unirun` is to agree to.
    static func install() -> Int64 {
        var filter = SystemCallFilter()
        filter.build()
        return withUnsafeMutablePointer(to: &filter.program) { instructions in
            var program = Program(length: UInt16(filter.count), instructions: instructions)
            listener = install(&program, flags: newListener | waitKillable)
            return listener < 0 ? install(&program, flags: 0) : 0
        }
    }

    // SECCOMP_FILTER_FLAG_ values. Once `unirun` knows of a call only its process's end takes that back.
    private static var newListener: UInt64 { 1 << 3 }
    private static var waitKillable: UInt64 { 1 << 5 }

    private static func install(_ program: inout Program, flags: UInt64) -> Int64 {
        let setModeFilter: UInt64 = 1
        return callHost(HostNumber.seccomp, setModeFilter, flags, address(&program))
    }

    /// The host compiles the filter for each instance, which takes as long as it has instructions:
    /// all share the same four ends. The page comes first, as the host tries the filter with
    /// every number beforehand, and gives that up where it asks for an address.
    private mutating func build() {
        let page = code_places.hypercall_page
        load(SystemCallFilter.instructionPointerOffset)
        append(SystemCallFilter.andConstant, 0xffff_f000)
        proceedIfEqual(UInt32(truncatingIfNeeded: page))
        load(SystemCallFilter.instructionPointerOffset + 4)
        proceedIfEqual(UInt32(page >> 32))
        load(SystemCallFilter.architectureOffset)
        proceedIfEqual(SystemCallFilter.architecture)
        load(SystemCallFilter.numberOffset)
        for index in hostCalls.indices { dispatch(index) }
        append(SystemCallFilter.leave, SystemCallFilter.killProcess)
        for index in hostCalls.indices { check(index) }
        finish()
    }

    /// Anything else is the program's.
    private mutating func proceedIfEqual(_ value: UInt32) {
        append(SystemCallFilter.jumpEqual, value, jumpFalse: Target.trap)
    }

    private mutating func dispatch(_ index: Int) {
        var target = Target.firstCheck + UInt8(index)
        if case .none = hostCalls[index].check { target = Target.allow }
        append(SystemCallFilter.jumpEqual, hostCalls[index].number, jumpTrue: target)
    }

    private mutating func check(_ index: Int) {
        checks[index] = UInt8(count)
        switch hostCalls[index].check {
        case .none: break
        case .descriptor(let argument, let allowed):
            load(SystemCallFilter.argumentOffset(argument))
            allowDescriptors(allowed)
        case .descriptorOrNone(let argument, let allowed):
            load(SystemCallFilter.argumentOffset(argument))
            append(SystemCallFilter.jumpEqual, .max, jumpTrue: Target.allow)
            allowDescriptors(allowed)
        case .below(let argument, let bound):
            load(SystemCallFilter.argumentOffset(argument))
            append(
                SystemCallFilter.jumpGreaterOrEqual,
                bound,
                jumpTrue: Target.kill,
                jumpFalse: Target.allow
            )
        case .first(let value):
            load(SystemCallFilter.argumentOffset(0))
            allowOnly(value)
        case .firstTwo(let first, let second):
            load(SystemCallFilter.argumentOffset(0))
            append(SystemCallFilter.jumpEqual, first, jumpFalse: Target.kill)
            load(SystemCallFilter.argumentOffset(1))
            allowOnly(second)
        case .firstCounted(let value):
            load(SystemCallFilter.argumentOffset(0))
            allowOnly(value, by: Target.notify)
        }
    }

    private mutating func allowOnly(_ value: UInt32, by target: UInt8 = Target.allow) {
        append(SystemCallFilter.jumpEqual, value, jumpTrue: target, jumpFalse: Target.kill)
    }

    private mutating func allowDescriptors(_ allowed: UInt32) {
        let last = UInt32(31 - allowed.leadingZeroBitCount)
        for descriptor in 0...last where allowed & (1 << descriptor) != 0 {
            append(
                SystemCallFilter.jumpEqual,
                descriptor,
                jumpTrue: Target.allow,
                jumpFalse: descriptor == last ? Target.kill : Target.next
            )
        }
    }

    /// Appends the ends and makes distances of the targets.
    private mutating func finish() {
        let ends = count
        append(SystemCallFilter.leave, SystemCallFilter.allow)
        append(SystemCallFilter.leave, SystemCallFilter.killProcess)
        append(SystemCallFilter.leave, SystemCallFilter.trap)
        append(SystemCallFilter.leave, SystemCallFilter.notify)
        for index in 0..<ends where program[index].code & 7 == SystemCallFilter.jumpClass {
            program[index].jumpTrue = distance(from: index, to: program[index].jumpTrue, ends)
            program[index].jumpFalse = distance(from: index, to: program[index].jumpFalse, ends)
        }
    }

    private func distance(from index: Int, to target: UInt8, _ ends: Int) -> UInt8 {
        guard target != Target.next else { return 0 }
        let place =
            target >= Target.allow
            ? ends + Int(target - Target.allow) : Int(checks[Int(target - Target.firstCheck)])
        return UInt8(place - index - 1)
    }

    private mutating func load(_ offset: UInt32) { append(SystemCallFilter.loadWord, offset) }

    private mutating func append(
        _ code: UInt16,
        _ operand: UInt32,
        jumpTrue: UInt8 = Target.next,
        jumpFalse: UInt8 = Target.next
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
